"""Examining a message before it is held: the port for filters, and the checks themselves."""
