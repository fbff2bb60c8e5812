"""Restante: a backup MX that holds mail and hands it over when the right server asks."""

from importlib.metadata import version

__version__ = version("restante")
