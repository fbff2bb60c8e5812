"""The end of mail whose time is over."""
