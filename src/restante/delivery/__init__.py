"""Delivery of held mail to the one destination on record."""
