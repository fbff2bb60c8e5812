"""Connecting to the one of several hosts that serves.

A host whose machine has vanished refuses nothing: it does not answer at all. The driver waits for
it as long as for all hosts together, and never comes to the next one. So each host has an attempt
of its own. The next attempt begins when one fails, or has no answer after a head start.

A former primary that still runs takes connections, and no commit on it has an answer. Such a host
comes last from then on. It is tried still: on the only primary, commits wait while its standbys are
away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from asyncpg.exceptions import TargetServerAttributeNotMatched

from restante.store.postgres.database_hosts import url_of_each_host

HEAD_START: Final = 0.3  # seconds: a host that serves usually answers within milliseconds

Connect = Callable[[str], Awaitable[Any]]


class HostOrder:
    """The URLs of the hosts, in the order in which they are tried."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._last: list[str] = []

    @property
    def urls(self) -> list[str]:
        """The URL of each host. Raises ValueError if the URL of them all is malformed."""
        found = url_of_each_host(self._url)
        return [one for one in found if one not in self._last] + [
            one for one in self._last if one in found
        ]

    def put_last(self, url: str) -> None:
        """Try one after all others from now on."""
        self._last = [*(one for one in self._last if one != url), url]


async def connect_to_first(
    urls: Sequence[str], connect: Connect, head_start: float = HEAD_START
) -> Any:
    """Return the driver's connection to the first host that serves.

    Raises the error of the host that says most about the cause.
    """
    left = list(reversed(urls))
    trying: set[asyncio.Future[Any]] = set()
    errors: list[BaseException] = []
    try:
        while left or trying:
            if left:
                trying.add(asyncio.ensure_future(connect(left.pop())))
            done, trying = await asyncio.wait(
                trying,
                timeout=head_start if left else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if served := [one for one in done if one.exception() is None]:
                trying.update(served[1:])
                return served[0].result()
            errors += [error for one in done if (error := one.exception()) is not None]
    finally:
        await _give_up(trying)
    raise _most_telling(errors)


async def _give_up(attempts: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel attempts, and terminate the connections of those that were about to serve."""
    for one in attempts:
        one.cancel()
    for ended in await asyncio.gather(*attempts, return_exceptions=True):
        if not isinstance(ended, BaseException):
            ended.terminate()


def _most_telling(errors: Sequence[BaseException]) -> BaseException:
    """Return the first error of a host that is no standby: that one should have served."""
    told = [one for one in errors if not isinstance(one, TargetServerAttributeNotMatched)]
    return [*told, *errors][0]
