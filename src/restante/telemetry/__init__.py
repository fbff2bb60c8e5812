"""What the server says of itself: the closed list of events, and the log."""
