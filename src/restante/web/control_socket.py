"""The control socket itself: a Unix socket that only the server's user, and root, can open.

Guarantees: it has mode 0600 from its first moment. A socket on which a server answers is never
taken over.
"""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from restante.phrases import OTHER_SERVER

SOCKET_MODE = 0o600
DIRECTORY_MODE = 0o700
_BACKLOG = 16
_PROBE_SECONDS = 1.0


class ControlUnusable(Exception):  # noqa: N818
    """The socket cannot be opened. The text is socket, cause and remedy."""


class ControlMisplaced(ControlUnusable):
    """The place is unsafe, or something else stands there. Time does not cure it."""


def open_control(path: Path) -> socket.socket:
    """Bind and listen. Raises ControlUnusable if another server answers or the place is unsafe."""
    _prepare_directory(path.parent)
    _clear_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o777 & ~SOCKET_MODE)  # so that others can connect at no moment
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ControlUnusable(
            f"{path}: {error.strerror or error}; name another as control_socket"
        ) from None
    finally:
        os.umask(mask)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


@contextlib.contextmanager
def removed_at_end(listener: socket.socket) -> Iterator[None]:
    """Remove the file of a control socket at the end of a block."""
    path = Path(listener.getsockname())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def answers(path: Path) -> bool:
    """Return whether a server answers there. Raises PermissionError if we may not ask."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except PermissionError:
            raise
        except (TimeoutError, BlockingIOError):  # it takes no more connections, as if frozen
            return True
        except OSError:
            return False
    return True


def _prepare_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        mode = directory.stat().st_mode
    except OSError as error:
        raise ControlMisplaced(
            f"{directory}: {error.strerror}; make it, owned by the server's user"
        ) from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ControlMisplaced(
            f"{directory}: others may write there and could put up a socket of theirs;"
            f" chmod 700 {quote(str(directory))}"
        )


def _clear_stale(path: Path) -> None:
    """Remove the socket of a server that has ended."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ControlMisplaced(
            f"{path}: exists and is not a socket; move it away, or set another control_socket"
        )
    if answers(path):
        raise ControlUnusable(f"{path}: {OTHER_SERVER}")
    path.unlink()
