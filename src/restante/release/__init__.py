"""Release of held mail: which client may release which domains, and the one entry point."""
