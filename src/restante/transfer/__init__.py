"""Import and export of held mail."""
