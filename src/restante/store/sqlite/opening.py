"""How a data directory becomes an open store, and what keeps it from that. Everything here blocks: run it on a thread.

DIR/lock  DIR/restante.db (-wal, -shm)  DIR/content/0…f/name  DIR/ballast        directories 0700, files 0600
"""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import apsw

from restante.store.errors import StoreUnusable
from restante.store.sqlite import engine, queries, schema
from restante.store.sqlite.backup import PARTIAL
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.health import Health
from restante.store.sqlite.ledger import Ledger
from restante.store.sqlite.lock import DirectoryLock
from restante.store.sqlite.readers import Readers
from restante.store.sqlite.reading import Damage
from restante.store.sqlite.spool import ContentFiles

DATABASE = "restante.db"
CONTENT = "content"
_BALLAST = "ballast"


class Parts(NamedTuple):
    """What is open when a store is."""

    path: Path  # of the database
    vfs: str | None
    lock: DirectoryLock
    health: Health
    files: ContentFiles
    ballast: Ballast
    connection: apsw.Connection
    ledger: Ledger
    readers: Readers
    damaged: list[Damage]  # messages whose content file is missing


def open_parts(directory: Path, vfs: str | None, ballast: int = 0) -> Parts:
    """Open everything, or nothing and raise StoreUnusable. `ballast` is in octets, 0 for none of our own."""
    engine.check_engine()
    with ExitStack() as undo:
        try:
            parts = _open_in_turn(directory, vfs, ballast, undo)
        except (OSError, apsw.Error) as error:
            raise StoreUnusable(
                f"{directory}: {error}; see that this user may write there and that the disk is sound: "
                "`restante store check` says more"
            ) from error
        undo.pop_all()
    return parts


def _open_in_turn(directory: Path, vfs: str | None, octets: int, undo: ExitStack) -> Parts:
    changed = _make(directory)
    lock = DirectoryLock(directory)
    undo.callback(lock.release)
    ballast = Ballast(directory / _BALLAST, octets)
    ballast.prepare()
    path = directory / DATABASE
    path.touch(mode=0o600)  # log and index take the same mode from it
    health = Health()
    files = ContentFiles(directory / CONTENT, health, ballast)
    undo.callback(files.close)
    for parent in changed:
        files.sync_directory(parent)
    _check_whole(path, files)
    connection = engine.open_writer(path, vfs)
    undo.callback(engine.close_without_checkpoint, connection)
    schema.migrate(connection)
    damaged = _sweep(connection, files)
    readers = Readers(path, vfs)
    return Parts(path, vfs, lock, health, files, ballast, connection, Ledger.read(connection), readers, damaged)


def _make(directory: Path) -> list[Path]:
    """Make a directory and what it stands in; return those that got an entry by it."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700)
    return [path.parent for path in missing]


def _check_whole(path: Path, files: ContentFiles) -> None:
    """Refuse to begin an empty database beside content: the sweep would take all of that for orphans."""
    if (path.parent / PARTIAL).exists():
        raise StoreUnusable(f"{path.parent} is a backup that was broken off: restore one that is whole")
    if not path.stat().st_size and files.present():
        raise StoreUnusable(
            f"{path.parent} has content files but an empty database: restore {DATABASE} from a backup, "
            f"or move {path.parent / CONTENT} away to begin without mail"
        )


def _sweep(connection: apsw.Connection, files: ContentFiles) -> list[Damage]:
    numbers: dict[str, int] = dict(engine.fetch(connection, queries.FILES))
    missing = files.sweep(set(numbers))
    return [Damage(numbers[name], f"content file {name} is missing") for name in sorted(missing)]
