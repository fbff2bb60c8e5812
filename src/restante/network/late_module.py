"""Modules of others that are loaded at their first use.

A server takes mail before it needs them, and each takes a twentieth of its start. They are loaded
with administration, in a thread, before most servers use them.
"""

import sys
from importlib import import_module
from typing import Any, Final, cast

# httpx imports its own command line, with rich and pygments, and does without them where they are
# not installed. They are 3 MB of a process.
UNUSED: Final = ("httpx._main",)


def leave_out_unused() -> None:
    """Have imports of modules that a server never uses fail, as if they were not installed."""
    modules = cast("dict[str, object]", sys.modules)
    for name in UNUSED:
        modules.setdefault(name, None)  # the import system raises ModuleNotFoundError then


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
