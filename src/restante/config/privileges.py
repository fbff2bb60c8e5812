"""What the process may do, and what it may leave behind.

It becomes the plain user, for good: what is made afterwards is that user's, and what goes wrong can harm no more. And it
keeps its memory, through which passwords and the key pass, to itself.
"""

import ctypes
import os
import pwd
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


class NoSuchUser(Exception):  # noqa: N818
    """The configured user is not on this machine. The text names thing, cause and remedy."""


def become(user: str) -> None:
    """Become the user, if we are root and one is named. Raises NoSuchUser."""
    if not user or os.geteuid() != 0:
        return
    try:
        record = pwd.getpwnam(user)
    except KeyError:
        raise NoSuchUser(f"user {user}: there is none on this machine; make it, or name another as `user`") from None
    os.initgroups(user, record.pw_gid)
    os.setgid(record.pw_gid)
    os.setuid(record.pw_uid)


def keep_memory_private() -> None:
    """Leave no core behind, and let no other process of the same user look in (prctl(2), core(5)).

    A core that the system hands to a program asks only whether the process is dumpable; and that is asked anew of a
    process that has changed its user, so call this again after `become`.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
