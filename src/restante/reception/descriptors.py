"""How many sessions the system lets this process have: a descriptor for each one's socket, and one for large content.

A process that has run out of descriptors can open no content file either, so that those already served would be put off
with 451. So some are kept back, and who comes when the rest are taken is told 421 as past any other limit.
"""

import contextlib
import errno
import os
import resource
import sys

SHARE_KEPT_BACK = 4  # a quarter
MOST_KEPT_BACK = 2048  # for drains, which take two for each connection, the store, look-ups, HTTP, and those told 421
MOST_HTTP_CONNECTIONS = 128  # of one service
_PER_SESSION = 2


def raise_limit() -> None:
    """Let this process have as many as it may: the usual limit is meant for programs that call select(2)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # then it stays as it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def is_exhausted() -> bool:
    """Tell whether no descriptor is free now, in this process or in the system."""
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        return is_want_of_descriptors(error)
    return False


def is_want_of_descriptors(error: BaseException) -> bool:
    """Tell whether this is how the system says that no descriptor is free."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


def http_connections_possible() -> int:
    """Return for how many HTTP connections of one service there are descriptors, at least 1."""
    return http_connections_within(_limit())


def http_connections_within(limit: int) -> int:
    """Return how many HTTP connections of one service fit within so many descriptors.

    They come out of what is kept back. As many again may have been accepted and not closed yet, so
    both services together never take more than half of it.
    """
    return min(MOST_HTTP_CONNECTIONS, max(1, _kept_back(limit) // 8))


def sessions_possible() -> int:
    """Return for how many sessions there are descriptors, at least 1."""
    return sessions_within(_limit())


def sessions_within(limit: int) -> int:
    """Return how many sessions fit within so many descriptors."""
    return max(1, (limit - _kept_back(limit)) // _PER_SESSION)


def _limit() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _kept_back(limit: int) -> int:
    return min(limit // SHARE_KEPT_BACK, MOST_KEPT_BACK)
