"""Restante: a backup MX that holds mail and hands it over when the right server asks."""

__version__ = "0.1.0"  # that of pyproject.toml; to ask the installed package takes 30 ms
