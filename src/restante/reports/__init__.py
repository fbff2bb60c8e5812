"""Reports to the senders of mail, on their way to the mail hosts of reverse-paths."""
