"""Whether the files of the program are still those of its start.

A server loads some of its code when it first needs it. An upgrade may have replaced the files
meanwhile, and code of another version must not enter a running process. So the files are compared
before and after such code is loaded. Files of libraries are known by their distribution's METADATA,
which every installer replaces.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

import restante
from restante.network.late_module import ProgramReplaced

# Of a thousand files, paths as text and one number for all facts need a sixth of the memory that
# objects would.
_Facts = int


class ProgramFiles:
    """The files as they were when this was made."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._seen = {name: _facts(name) for name in map(str, files)}
        self._is_replaced = False  # permanently: a part of the code may have been loaded

    def load(self, module: str) -> None:
        """Import a module of this version. Raises ProgramReplaced. Blocks; not for two threads."""
        if module in sys.modules and not self._is_replaced:
            return
        self._check()
        import_module(module)
        self._check()

    def _check(self) -> None:
        self._is_replaced = self._is_replaced or any(
            _facts(name) != facts for name, facts in self._seen.items()
        )
        if self._is_replaced:
            raise ProgramReplaced


def installed_files() -> Iterator[Path]:
    """Yield the files of this program, and one of each library that was installed beside it."""
    for directory, _, names in os.walk(Path(restante.__file__).parent):
        yield from (Path(directory, name) for name in names if name.endswith(".py"))
    for place in filter(None, sys.path):
        yield from Path(place).glob("*.dist-info/METADATA")


def _facts(name: str) -> _Facts | None:
    """Return a hash of facts that differ for another file; None if they cannot be seen."""
    try:
        facts = os.stat(name)  # noqa: PTH116  no object for each path
    except OSError:
        return None
    return hash((facts.st_ino, facts.st_mtime_ns, facts.st_size))
