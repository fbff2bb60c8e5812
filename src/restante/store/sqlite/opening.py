"""How a data directory becomes an open store, and the faults that prevent it.

Everything here blocks: run it on a thread.

DIR/lock  DIR/restante.db (-wal, -shm)  DIR/content/0…f/name  DIR/ballast
Directories have mode 0700, files 0600.
"""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import apsw

from restante.phrases import cause_of
from restante.store.sqlite import engine, mail_queries, start_check
from restante.store.sqlite.backup import PARTIAL
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.damage_mark import DamageMark
from restante.store.sqlite.directory_lock import DirectoryLock
from restante.store.sqlite.file_kinds import check_kinds
from restante.store.sqlite.files_in_use import FilesInUse
from restante.store.sqlite.ledger import Ledger
from restante.store.sqlite.log_mark import MARK, LogMark
from restante.store.sqlite.log_remains import lost_part
from restante.store.sqlite.mail_reading import UnreadableMessage, damage_of_file
from restante.store.sqlite.move_mark_file import check_not_moved
from restante.store.sqlite.readers import ReaderPool
from restante.store.sqlite.spool import ContentFiles
from restante.store.sqlite.store_health import StoreHealth
from restante.store.sqlite.upgrade_copy import upgrade
from restante.store.sqlite.writer import WritingParts
from restante.store.store_errors import StoreDamaged, StoreUnusable

DATABASE = "restante.db"
CONTENT = "content"
_BALLAST = "ballast"
_LOCK = "lock"
# With the log and its index.
_FILES = (_LOCK, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", _BALLAST, MARK)


class StorePlace(NamedTuple):
    """Where a store is, locked."""

    path: Path  # of the database
    vfs: str | None
    lock: DirectoryLock


class StoreParts(NamedTuple):
    """The open parts of a store."""

    place: StorePlace
    health: StoreHealth
    files: ContentFiles
    writing: WritingParts
    in_use: FilesInUse
    readers: ReaderPool
    readers_apart: ReaderPool  # for people's requests
    damaged: list[UnreadableMessage]  # messages whose content file is missing
    is_proven: bool  # all of the database was looked at: else the scrub begins at once


def open_parts(
    directory: Path, vfs: str | None, ballast: int = 0, proof_seconds: float = start_check.SECONDS
) -> StoreParts:
    """Open everything, or nothing.

    `ballast` is in octets, 0 for none of our own; `proof_seconds` as in start_check.py.

    Raises StoreUnusable; StoreMisplaced where something else stands in its place; StoreDamaged
    where the database is not what was written.
    """
    engine.check_engine()
    with ExitStack() as undo:
        try:
            parts = _open_in_turn(directory, vfs, ballast, proof_seconds, undo)
        except StoreDamaged as damage:
            raise _damaged(directory, str(damage)) from damage
        except (OSError, apsw.Error, UnicodeDecodeError) as error:
            if engine.is_damage(error):
                raise _damaged(directory, str(error)) from error
            raise StoreUnusable(
                f"{directory}: {cause_of(error)}; check that this user may write there and that the"
                " disk is sound; `restante store check` says more"
            ) from error
        undo.pop_all()
    return parts


def _damaged(directory: Path, found: str) -> StoreDamaged:
    return StoreDamaged(
        f"{directory}: the database is damaged ({found}); put a backup in its place, or write what"
        " can be read to a new store with `restante store salvage DIR`"
    )


def _open_in_turn(
    directory: Path, vfs: str | None, octets: int, proof_seconds: float, undo: ExitStack
) -> StoreParts:
    check_kinds(directory, files=_FILES, directories=(CONTENT,))
    changed = _make(directory)
    place = StorePlace(directory / DATABASE, vfs, DirectoryLock(directory))
    undo.callback(place.lock.release)
    check_not_moved(directory)
    ballast = Ballast(directory / _BALLAST, octets)
    ballast.prepare()
    _check_whole(place.path)
    mark, log_mark = DamageMark(directory), LogMark(place.path)
    health = StoreHealth(mark.leave)
    connection = _open_database(place.path, vfs, log_mark, undo)
    is_proven = start_check.prove(connection, proof_seconds, is_suspect=mark.is_there)
    # Only now: content without a database is a loss.
    files = ContentFiles(directory / CONTENT, health, ballast)
    undo.callback(files.close)
    for parent in changed:
        files.sync_directory(parent)
    upgrade(connection, place.path, vfs, files)
    start_check.prove_records(connection)
    mark.remove()
    damaged = _sweep(connection, files)
    _expect_log(connection, log_mark)
    in_use = FilesInUse(place.path, directory / CONTENT, log_mark)
    undo.callback(in_use.close)
    writing = WritingParts(connection, Ledger.read(connection), ballast, log_mark)
    readers = ReaderPool(place.path, health, vfs)
    readers_apart = ReaderPool(place.path, health, vfs, "restante-web-reader")
    return StoreParts(
        place, health, files, writing, in_use, readers, readers_apart, damaged, is_proven
    )


def _open_database(
    path: Path, vfs: str | None, log_mark: LogMark, undo: ExitStack
) -> apsw.Connection:
    """Open a database whose log is whole. Raises StoreDamaged for one that has lost its log."""
    if lost := log_mark.lost:
        raise StoreDamaged(lost)
    path.touch(mode=0o600)  # log and index take the same mode from it
    connection = engine.open_write_connection(path, vfs)
    undo.callback(engine.close_without_checkpoint, connection)
    if lost := lost_part(path):
        raise StoreDamaged(lost)
    return connection


def _expect_log(connection: apsw.Connection, log_mark: LogMark) -> None:
    """Begin the log with a transaction that changes nothing, and leave the mark that names it.

    A full disk is no reason not to start: mail must be able to leave.
    """
    with suppress(apsw.FullError, OSError):
        connection.pragma("user_version", int(connection.pragma("user_version")))
        log_mark.leave()


def _make(directory: Path) -> list[Path]:
    """Make a directory and what it stands in; return those that got an entry by it."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700)
    return [path.parent for path in missing]


def _check_whole(path: Path) -> None:
    """Refuse to begin an empty database where a store was: its mail would be lost."""
    if (path.parent / PARTIAL).exists():
        raise StoreUnusable(f"{path.parent} is an interrupted backup: restore one that is whole")
    is_empty = not path.exists() or not path.stat().st_size
    if is_empty and (path.parent / CONTENT).exists():
        raise StoreDamaged(
            f"{DATABASE} is missing or empty, though there was a store; to begin without its mail,"
            f" move {CONTENT} away"
        )


def _sweep(connection: apsw.Connection, files: ContentFiles) -> list[UnreadableMessage]:
    missing = files.sweep({name for name, _ in engine.fetch(connection, mail_queries.FILES)})
    return [
        damage
        for name in sorted(missing)
        for damage in damage_of_file(connection, name, f"content file {name} is missing")
    ]
