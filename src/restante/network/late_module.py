"""Modules of others that are loaded at their first use.

A server takes mail before it needs them, and many servers never do. One that serves loads them in a
thread, by a `Load`, before it uses them.
"""

import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final, cast

# httpx imports its own command line, with rich and pygments, and does without them where they are
# not installed. They are 3 MB of a process.
UNUSED: Final = ("httpx._main",)

REPLACED: Final = "the program was upgraded since this server started"
REMEDY: Final = "restart the server"

Load = Callable[[str], Awaitable[None]]  # has a module loaded; raises CodeNotLoaded


class CodeNotLoaded(Exception):  # noqa: N818
    """Code that is needed could not be loaded. The text is the cause."""


class ProgramReplaced(CodeNotLoaded):
    """Code cannot be loaded any more. The text is the cause and the remedy."""

    def __init__(self) -> None:
        super().__init__(f"{REPLACED}; {REMEDY}")


async def load_now(module: str) -> None:
    """Load a module where nobody waits meanwhile, such as in a command."""
    import_module(module)


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
