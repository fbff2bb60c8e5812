"""Restante against the stock programs it will meet."""
