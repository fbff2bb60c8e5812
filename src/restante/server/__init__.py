"""From a Config to a running server: its parts, their life, and what administration may touch."""
