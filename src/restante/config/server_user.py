"""The user of the system that the server runs as."""

import os
import pwd

from restante.config.schema import Config


def named_user(config: Config) -> pwd.struct_passwd | None:
    """Return the user that the configuration names, None if there is no such user."""
    try:
        return pwd.getpwnam(config.user)
    except KeyError:
        return None


def later_user(config: Config) -> pwd.struct_passwd | None:
    """Return the user that the server becomes when it drops privileges; None if it drops none."""
    return named_user(config) if config.user and os.geteuid() == 0 else None
