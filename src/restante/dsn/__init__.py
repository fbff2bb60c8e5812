"""Delivery status notifications: how they are made and stored. They are sent by `reports`."""
