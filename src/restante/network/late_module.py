"""Modules of others that are loaded at their first use.

A server takes mail before it needs them, and each takes a twentieth of its start. They are loaded
with administration, in a thread, before most servers use them.
"""

from importlib import import_module
from typing import Any


class LateModule:
    """Stands for a module, and loads it at the first use of an attribute."""

    def __init__(self, name: str, *inner: str) -> None:
        """`inner` are modules of the package `name` that are loaded with it."""
        self._name = name
        self._inner = inner

    def load(self) -> Any:
        """Return the module itself."""
        for each in self._inner:
            import_module(f"{self._name}.{each}")
        return import_module(self._name)

    def __getattr__(self, attribute: str) -> Any:
        """Load the module, and keep what was asked for."""
        found = getattr(self.load(), attribute)
        setattr(self, attribute, found)
        return found
