"""Becoming the plain user, for good: what is made afterwards is that user's, and what goes wrong can harm no more."""

import os
import pwd


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
