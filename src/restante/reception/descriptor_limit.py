"""How many sessions the system allows: each takes a socket, and a file for large content.

A process without free descriptors cannot open a content file either. Sessions already served would
get 451. So some descriptors are reserved, and a client past the others gets 421, as past any other
limit.
"""

import contextlib
import errno
import os
import resource
import sys

SHARE_KEPT_BACK = 4  # a quarter
# for drains (two for each connection), the store, look-ups, HTTP, and clients that get 421
MOST_KEPT_BACK = 2048
MOST_HTTP_CONNECTIONS = 128  # of one service
HTTP_SERVICES = 3  # control, metrics, web
_PER_SESSION = 2


def raise_limit() -> None:
    """Raise the soft limit to the hard one; the usual one is meant for users of select(2)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # then it stays unchanged
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def is_exhausted() -> bool:
    """Return whether no descriptor is free now, in this process or in the system."""
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        return is_want_of_descriptors(error)
    return False


def is_want_of_descriptors(error: BaseException) -> bool:
    """Return whether this error means that no descriptor is free."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


def http_connections_possible() -> int:
    """Return for how many HTTP connections of one service there are descriptors, at least 1."""
    return http_connections_within(_limit())


def http_connections_within(limit: int) -> int:
    """Return how many HTTP connections of one service fit within this number of descriptors.

    They come out of the reserve. As many again may be accepted and not closed yet, so all services
    together never take more than half of it.
    """
    share = _kept_back(limit) // (4 * HTTP_SERVICES)
    return min(MOST_HTTP_CONNECTIONS, max(1, share))


def sessions_possible() -> int:
    """Return for how many sessions there are descriptors, at least 1."""
    return sessions_within(_limit())


def sessions_within(limit: int) -> int:
    """Return how many sessions fit within this number of descriptors."""
    return max(1, (limit - _kept_back(limit)) // _PER_SESSION)


def _limit() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _kept_back(limit: int) -> int:
    return min(limit // SHARE_KEPT_BACK, MOST_KEPT_BACK)
