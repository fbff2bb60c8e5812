"""A copy of the store before its schema changes, so that an upgrade can be undone.

    DIR/before-upgrade-from-schema-5/restante.db  content/…     as `restante store backup` writes it

The copy is made by the start that upgrades, before anything is changed. Content files get a second
name and take no room; those of mail that leaves stay until the copy is removed. There is one copy
at a time, that of the last upgrade: an earlier one is removed when the new one is complete.

A file in the copy says that the steps are not done yet. If a kill ends them half-way, the next
start goes on, and this copy stays. A copy of the tables between two steps would help nobody: no
program's version has them.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import apsw

from restante.mail.quantity import counted
from restante.store.sqlite import migrations
from restante.store.sqlite.backup import write_backup
from restante.store.sqlite.newer_schema import PREFIX, check_not_newer
from restante.store.sqlite.spool import ContentFiles
from restante.store.store_errors import StoreUnusable

_RESERVE = 64 * 1024 * 1024  # octets that the migration itself may need
_MIB = 1024 * 1024
_UNFINISHED = "upgrade-is-unfinished"


def upgrade(connection: apsw.Connection, path: Path, vfs: str | None, files: ContentFiles) -> None:
    """Bring the schema up to date, after a copy of the store. Blocks.

    Raises StoreMismatched for a store of a newer program, StoreError, apsw.Error.
    """
    check_not_newer(connection, path.parent)
    present = int(connection.pragma("user_version"))
    if 0 < present < len(migrations.MIGRATIONS) and not unfinished_copy(path.parent, present):
        _copy(present, path, vfs, files)
    migrations.migrate(connection, migrations.MIGRATIONS)
    for note in path.parent.glob(f"{PREFIX}*/{_UNFINISHED}"):
        note.unlink()


def unfinished_copy(directory: Path, present: int) -> Path | None:
    """Return the copy of an upgrade that was ended half-way, at the present schema."""
    for note in directory.glob(f"{PREFIX}*/{_UNFINISHED}"):
        schema = note.parent.name.removeprefix(PREFIX)
        if _is_copy(note.parent) and int(schema) < present:
            return note.parent
    return None


def earlier_copies(directory: Path, present: int) -> list[Path]:
    """Return the copies that the copy of a store with that schema replaces."""
    found = (one for one in directory.glob(f"{PREFIX}*") if _is_copy(one))
    return sorted(set(found) - {copy_of(directory, present)})


def _is_copy(path: Path) -> bool:
    """Return whether it has the name of a copy. An operator may have kept one by another name."""
    return path.name.removeprefix(PREFIX).isdecimal() and path.is_dir()


def _copy(present: int, path: Path, vfs: str | None, files: ContentFiles) -> None:
    copy = copy_of(path.parent, present)
    if copy.exists():  # it was interrupted, or the store was set back to it
        shutil.rmtree(copy)
    earlier = earlier_copies(path.parent, present)
    _check_room(path, earlier)
    write_backup(path, vfs, files, copy)
    (copy / _UNFINISHED).touch(mode=0o600)
    files.sync_directory(copy)
    for one in earlier:
        shutil.rmtree(one)


def copy_of(directory: Path, schema: int) -> Path:
    """Return the place of the copy of a store with that schema."""
    return directory / f"{PREFIX}{schema}"


def _check_room(path: Path, earlier: Sequence[Path]) -> None:
    """Raise StoreUnusable where a copy would fill the disk."""
    needed = room_needed(path)
    free = room_for_copy(path.parent)
    if free < needed:
        room = f"{counted(needed // _MIB, 'MiB', 'MiB')} are needed and {free // _MIB} are free"
        such_as = "".join(f", such as by removing {one}," for one in earlier[:1])
        raise StoreUnusable(
            f"{path}: there is not enough disk space for the copy before the schema is upgraded: "
            f"{room}; make room{such_as} and start again"
        )


def room_needed(path: Path) -> int:
    """Return the free octets that an upgrade wants: for the copy of a database, and for its steps.

    Content files get a second name, and need no room.
    """
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0) + _RESERVE


def room_for_copy(directory: Path) -> int:
    """Return how much a plain user may still write there."""
    facts = os.statvfs(directory)
    return facts.f_bavail * facts.f_frsize
