"""Stores as each schema version left them, and a test that today's program opens them."""
