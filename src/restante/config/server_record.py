"""Find the server that runs a configuration file, after the file names another socket.

A running server keeps a record: which file it has read, and the socket where it answers. The
record's name is made from the path of the file, so it is found whatever the file says now. It is in
/run/restante, if the server owns that directory, else in /tmp/restante-UID.

Guarantees: a record is believed only if it and its directory belong to a trusted user and nobody
else can write there. A server holds a lock (flock(2)) on its record for as long as it lives. The
record of a server that died thus counts for nothing.

Limitation: without /run/restante, the record cannot be found where the server and the command have
different /tmp, such as with PrivateTmp= of systemd. A program that cleans /tmp may remove it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import stat
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

RUNTIME: Final = Path("/run/restante")
SHARED: Final = Path("/tmp")  # noqa: S108  its directories are checked
_SUFFIX: Final = ".server"
_LONGEST: Final = 65_536  # octets
_DIRECTORY_MODE: Final = 0o700
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@contextlib.contextmanager
def recorded(file: Path | None, socket: Path) -> Iterator[None]:
    """Keep a record that the server of a configuration file answers on this socket.

    If none can be written, the server runs without one.
    """
    held = None
    if file is not None:
        with contextlib.suppress(OSError):
            held = _write(_own_directory(), file, socket)
    try:
        yield
    finally:
        if held is not None:
            with contextlib.suppress(OSError):
                _remove_if_same(*held)
            os.close(held[1])


def recorded_socket(file: Path, trusted: Collection[int]) -> Path | None:
    """Return the socket of the live server of a configuration file, if a record tells it.

    `trusted` are the user ids whose records are believed.
    """
    for directory in (RUNTIME, *(_shared(user) for user in sorted(trusted))):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return _read(directory, file, trusted)
    return None


def trusted_users(file: Path, user: str) -> set[int]:
    """Return the ids of the users whose records about a configuration file are believed.

    They are root, this process, the server's `user`, and the owner of the file, who could name any
    socket in the file itself.
    """
    trusted = {0, os.geteuid()}
    with contextlib.suppress(OSError):
        trusted.add(file.stat().st_uid)
    with contextlib.suppress(KeyError, ValueError):
        trusted.add(pwd.getpwnam(user).pw_uid)
    return trusted


def _shared(user: int) -> Path:
    return SHARED / f"restante-{user}"


def _key(file: Path) -> str:
    """Return the path of a file with its directory resolved.

    The file itself may be a link that is pointed elsewhere to edit it.
    """
    return str(file.parent.resolve() / file.name)


def _name(key: str) -> str:
    return hashlib.sha256(os.fsencode(key)).hexdigest()[:32] + _SUFFIX


def _own_directory() -> Path:
    """Return a directory for records that this process owns. Raises OSError."""
    own = {os.geteuid()}
    with contextlib.suppress(OSError):
        os.close(_open_directory(RUNTIME, own))
        return RUNTIME
    shared = _shared(os.geteuid())
    with contextlib.suppress(FileExistsError):
        shared.mkdir(mode=_DIRECTORY_MODE)
    os.close(_open_directory(shared, own))
    return shared


def _open_directory(directory: Path, trusted: Collection[int]) -> int:
    """Open a directory where only trusted users can write. Raises OSError."""
    above = directory.parent.stat()
    if above.st_mode & _OTHERS_WRITE and not above.st_mode & stat.S_ISVTX:
        raise PermissionError(f"{directory.parent}: others could replace {directory.name}")
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _check_trusted(opened, trusted)
    except OSError:
        os.close(opened)
        raise
    return opened


def _check_trusted(opened: int, trusted: Collection[int]) -> None:
    status = os.fstat(opened)
    if status.st_uid not in trusted or status.st_mode & _OTHERS_WRITE:
        raise PermissionError("others can write there")


def _write(directory: Path, file: Path, socket: Path) -> tuple[Path, int]:
    """Write a record, and return its path and the descriptor that holds its lock."""
    _sweep(directory)
    key = _key(file)
    path = directory / _name(key)
    content = json.dumps({"config": key, "socket": str(socket.absolute())}).encode()
    opened, name = tempfile.mkstemp(dir=directory)  # of mode 0600
    new = Path(name)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        os.write(opened, content)
        new.replace(path)  # locked and whole from its first moment
    except OSError:
        os.close(opened)
        new.unlink(missing_ok=True)
        raise
    return path, opened


def _sweep(directory: Path) -> None:
    """Remove the records of servers that have died."""
    for path in directory.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if not _is_held(opened):
                    _remove_if_same(path, opened)
            finally:
                os.close(opened)


def _is_held(opened: int) -> bool:
    """Tell whether a server that lives holds the lock of a record."""
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(opened, fcntl.LOCK_UN)
    return False


def _remove_if_same(path: Path, opened: int) -> None:
    """Remove a record unless another server has put its own in its place."""
    if os.path.samestat(path.lstat(), os.fstat(opened)):
        path.unlink()


def _read(directory: Path, file: Path, trusted: Collection[int]) -> Path:
    """Return the socket in a live record. Raises OSError, ValueError, KeyError, TypeError."""
    key = _key(file)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    parent = _open_directory(directory, trusted)
    try:
        opened = os.open(_name(key), flags, dir_fd=parent)
    finally:
        os.close(parent)
    try:
        _check_trusted(opened, trusted)
        if not stat.S_ISREG(os.fstat(opened).st_mode) or not _is_held(opened):
            raise FileNotFoundError("no server holds the record")
        record = json.loads(os.read(opened, _LONGEST))
    finally:
        os.close(opened)
    if record["config"] != key:
        raise ValueError("the record is of another file")
    return Path(record["socket"])
