"""Limit the rights of the process and protect its memory.

The process permanently becomes the plain user. That user owns later files, and a fault can do only
that user's harm. Memory holds passwords and the key, so no core is written.
"""

import ctypes
import os
import pwd
import resource
import signal
import stat
import sys
from collections.abc import Collection
from pathlib import Path

from restante.phrases import NO_USER

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_DUMPABLE = 4


class UserUnusable(Exception):  # noqa: N818
    """The server cannot run as the configured user. The text names thing, cause and remedy."""


def become(user: str) -> None:
    """Become the user if the process is root and one is named. Raises UserUnusable.

    The user must be able to load the rest of the program.
    """
    if not user or os.geteuid() != 0:
        return
    check_program_is_reachable(user)
    record = _record(user)
    os.initgroups(user, record.pw_gid)
    os.setgid(record.pw_gid)
    os.setuid(record.pw_uid)


def check_program_is_reachable(user: str) -> None:
    """Check that the later user may enter every directory of the program. Raises UserUnusable.

    Servers and commands load parts of the program long after they have become the user.
    """
    for program in (Path(sys.executable), Path(sys.prefix) / "lib", Path(__file__)):
        if closed := closed_to(user, program):
            cause = f"cannot enter {closed}, where the program is installed"
            raise UserUnusable(
                f"user {user}: {cause}; install it elsewhere, or name another as `user`"
            )


def closed_to(user: str, path: Path) -> Path | None:
    """Return the first directory above a path that the later user may not enter, or None.

    Raises UserUnusable if there is no such user.
    """
    if not user or os.geteuid() != 0:
        return None
    record = _record(user)
    groups = {record.pw_gid, *os.getgrouplist(user, record.pw_gid)}
    return _closed_directory(path, record.pw_uid, groups)


def _record(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise UserUnusable(
            f"user {user}: {NO_USER}; make it (useradd --system {user}), or name another"
        ) from None


def _closed_directory(path: Path, user: int, groups: Collection[int]) -> Path | None:
    """Return the first directory above a path that a user may not enter. Links are followed."""
    for place in dict.fromkeys((path, path.resolve())):
        for directory in reversed(place.parents):
            status = directory.stat()
            if user == status.st_uid:
                is_open = status.st_mode & stat.S_IXUSR
            elif status.st_gid in groups:
                is_open = status.st_mode & stat.S_IXGRP
            else:
                is_open = status.st_mode & stat.S_IXOTH
            if user and not is_open:
                return directory
    return None


def end_with(parent: int, by: signal.Signals) -> None:
    """Have the kernel send a signal when the parent process ends, or end now if it has.

    A change of the user undoes this (prctl(2)), so call it again after `become`.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def keep_memory_private() -> None:
    """Write no core, and deny other processes of the same user access (prctl(2), core(5)).

    If the system pipes cores to a program, only the process's dumpable flag matters. A change of
    the user sets that flag again, so call this again after `become`.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if (
        sys.platform == "linux"
        and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0
    ):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
