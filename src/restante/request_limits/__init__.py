"""Limits over time, for every service: failures and requests by key."""
