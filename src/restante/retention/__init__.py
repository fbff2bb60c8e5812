"""The end of mail whose retention is over."""
