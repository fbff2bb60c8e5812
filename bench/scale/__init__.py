"""A database with very much mail, and the time that the store takes there."""
