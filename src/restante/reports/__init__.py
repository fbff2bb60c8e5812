"""Reports to senders, and their delivery to the mail hosts of reverse-paths."""
