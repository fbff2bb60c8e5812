"""The life of held mail: states, moves, attempts. Pure."""
