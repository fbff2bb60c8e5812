"""Handing mail over to the one destination on record: the second half of a message's walk."""
