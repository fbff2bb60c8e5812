"""Makes a running server of a Config: its parts, their life, and the surface for operators."""
