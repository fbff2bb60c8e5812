"""The move of everything from one store into another."""
