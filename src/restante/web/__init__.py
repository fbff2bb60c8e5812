"""What speaks HTTP: the API and the socket it is served on. Buttons, no rules."""
