"""A copy of the store while it serves: the database as at one moment, and its content files.

    copy the database, within one read transaction  →  link or copy each file  →  sync
                                                    →  give the database its name

Content files are kept from being removed meanwhile. They are immutable once a row names them, so on
the same file system a second name is as good as a copy. The database gets its name last, so that an
interrupted copy is no store.

The keys and certificates by ACME are in a directory beside the database. They belong to no row, and
are copied too: other keys would need other TLSA records.
"""

import errno
import os
import pwd
import shlex
import shutil
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import apsw

from restante.store.sqlite import care_queries, engine, mail_queries
from restante.store.sqlite.regular_file import open_regular
from restante.store.sqlite.spool import ContentFiles
from restante.store.store_errors import NotEmpty, StoreError, StoreFull, TargetUnusable
from restante.store.upkeep_store import BackupCopy

_DATABASE = "restante.db"
PARTIAL = "restante.db.partial"
_CONTENT = "content"
_FOR_PEOPLE = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS})
_UNIT = "the unit of systemd must allow it too (ReadWritePaths=), from the start of the server"
_BESIDE = "acme"  # a directory of files that are replaced whole
_DRAFT = ".new"  # the end of the name of a file that is being written


def write_backup(path: Path, vfs: str | None, files: ContentFiles, target: Path) -> BackupCopy:
    """Copy the database at `path` and the files it names to `target`. Blocks. Raises StoreError."""
    try:
        prepare_directory(target)
        with files.keeping_all():  # here, on the thread: its caller may have left before it ends
            made = _copy(path, vfs, files, target)
        copy_beside(path.parent, target)
        (target / PARTIAL).rename(target / _DATABASE)
        files.sync_directory(target)
    except OSError as error:
        raise _unwritten(target, error) from error
    except apsw.FullError as error:
        raise StoreFull(f"{target}: there is not enough disk space") from error
    except apsw.Error as error:
        raise StoreError(f"{target}: {error}") from error
    return made


def _unwritten(target: Path, error: OSError) -> StoreError:
    cause = error.strerror or str(error)
    if error.errno not in _FOR_PEOPLE or error.filename != str(target):
        return StoreError(f"{target}: {cause}")
    user = pwd.getpwuid(os.geteuid()).pw_name
    parent = target.parent
    if error.errno == errno.ENOENT:
        cause = f"{parent} is not there"
        remedy = f"as root, run `install -d -m 0700 -o {user} {shlex.quote(str(parent))}`"
    else:
        cause = f"user {user} may not write there ({cause})"
        remedy = "name a directory of this user"
    return TargetUnusable(f"{target}: {cause}; {remedy}; {_UNIT}")


def prepare_directory(target: Path) -> None:
    """Make the directory of a new store.

    Raises StoreError where there is something in it, OSError.
    """
    target.mkdir(mode=0o700, exist_ok=True)
    if any(target.iterdir()):
        raise NotEmpty(f"{target}: the directory is not empty; name an empty or a new one")
    (target / _CONTENT).mkdir(mode=0o700)


def _copy(path: Path, vfs: str | None, files: ContentFiles, target: Path) -> BackupCopy:
    (target / PARTIAL).touch(mode=0o600)
    with closing(apsw.Connection(str(target / PARTIAL))) as copy:
        with (
            closing(engine.open_reader(path, vfs)) as source,
            copy.backup("main", source, "main") as under_way,
        ):
            under_way.step(-1)  # in one step: one moment, whatever is committed meanwhile
        copy.pragma(
            "journal_mode", "DELETE"
        )  # whole in one file; the next to open it makes it WAL again
        names = [name for name, *_ in engine.fetch(copy, mail_queries.FILES)]
        [(messages, octets)] = engine.fetch(copy, care_queries.TOTALS)
    sync(target / PARTIAL)
    _copy_files(files, names, target / _CONTENT)
    return BackupCopy(messages, octets, len(names))


def _copy_files(files: ContentFiles, names: Iterable[str], content: Path) -> None:
    for name in names:
        place = content / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        copy_file(files.path(name), place)
    for directory in (*content.iterdir(), content):
        files.sync_directory(directory)


def copy_file(source: Path, place: Path) -> None:
    """Give a content file a second name, or copy it. One that is missing is left out.

    Raises OSError.
    """
    try:
        os.close(open_regular(source))
    except OSError:
        return  # missing, or not our file: its message is marked damaged, in the copy as here
    try:
        os.link(source, place)
    except OSError:  # another file system, or one without second names
        shutil.copyfile(source, place)
        place.chmod(0o600)
        sync(place)


def copy_beside(store: Path, target: Path) -> None:
    """Copy the files that lie beside the database of a store, if there are any. Raises OSError.

    Each is copied for its owner alone. One that is removed meanwhile is left out.
    """
    if not (store / _BESIDE).is_dir():
        return
    (target / _BESIDE).mkdir(mode=0o700)
    for file in sorted((store / _BESIDE).iterdir()):
        if file.suffix != _DRAFT:
            _copy_private(file, target / _BESIDE / file.name)
    sync(target / _BESIDE)


def _copy_private(file: Path, place: Path) -> None:
    try:
        source = open_regular(file)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.EINVAL):
            return  # it was removed, or is not our file
        raise
    with open(source, "rb") as readable:  # noqa: PTH123  of the descriptor
        place.touch(mode=0o600)
        place.write_bytes(readable.read())
    sync(place)


def sync(path: Path) -> None:
    """Make a file or a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
