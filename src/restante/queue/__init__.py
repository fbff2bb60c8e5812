"""What becomes of held mail: states, moves, attempts. Pure."""
