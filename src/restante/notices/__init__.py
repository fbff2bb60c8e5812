"""Notices to operators and customers about held mail, by webhook, mail or another service."""
