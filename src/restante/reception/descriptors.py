"""How many sessions the system lets this process have: a descriptor for each one's socket, and one for large content.

A process that has run out of descriptors can open no content file either, so that those already served would be put off
with 451. So some are kept back, and who comes when the rest are taken is told 421 as past any other limit.
"""

import contextlib
import resource
import sys

SHARE_KEPT_BACK = 4  # a quarter
MOST_KEPT_BACK = 2048  # for drains, which take two for each connection, the store, look-ups, and those told 421
_PER_SESSION = 2


def raise_limit() -> None:
    """Let this process have as many as it may: the usual limit is meant for programs that call select(2)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # then it stays as it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def sessions_possible() -> int:
    """Return for how many sessions there are descriptors, at least 1."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sessions_within(sys.maxsize if limit == resource.RLIM_INFINITY else limit)


def sessions_within(limit: int) -> int:
    """Return how many sessions fit within so many descriptors."""
    return max(1, (limit - min(limit // SHARE_KEPT_BACK, MOST_KEPT_BACK)) // _PER_SESSION)
