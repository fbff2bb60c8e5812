"""Whether each name in a data directory is a file or a directory, as it must be.

A directory in place of the database, or a named pipe, is a mistake of a person or of a script that
mounts. It is no damage, and time does not cure it.
"""

import stat
from collections.abc import Sequence
from pathlib import Path

from restante.store.store_errors import StoreMisplaced

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_kinds(directory: Path, *, files: Sequence[str], directories: Sequence[str]) -> None:
    """Require that these names in `directory` are files and directories, if they are there.

    Symbolic links are followed. Raises StoreMisplaced, or OSError if it cannot look.
    """
    _require(directory, stat.S_IFDIR, "name another directory as store")
    for name in files:
        _require(directory / name, stat.S_IFREG, _REMEDY)
    for name in directories:
        _require(directory / name, stat.S_IFDIR, _REMEDY)


_REMEDY = "put back the store's own, or name another directory as store"


def _require(path: Path, kind: int, remedy: str) -> None:
    try:
        found = stat.S_IFMT(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):  # the directory itself was looked at before
        return
    if found != kind:
        raise StoreMisplaced(f"{path}: is {_KINDS[found]}, not {_KINDS[kind]}; {remedy}")
