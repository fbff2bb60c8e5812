"""The limit of release requests for one client: right and wrong requests are counted apart.

A request is right if the client may have something released, even if nothing is held or the domain
is suspended. All others are wrong: no target, an unknown or foreign domain, a host that is not
authorized. So a misconfigured or hostile program cannot use up the requests of the primary that
uses the same login.
"""

from collections.abc import Callable, Hashable

from restante.network.addresses import address_block
from restante.release.release_request import Requester
from restante.request_limits.failed_logins import RateLimit


class ReleaseAllowance:
    """Counts by login, by the account of a token, or by address block; never the operator."""

    def __init__(
        self,
        per_minute: int,
        monotonic: Callable[[], float],
        servers: Callable[[], int] = lambda: 1,
    ) -> None:
        """`per_minute`: right requests, and as many wrong ones, divided by the number of `servers`.

        `monotonic` is in seconds.
        """
        self._right = RateLimit(per_minute, servers)
        self._wrong = RateLimit(per_minute, servers)
        self._monotonic = monotonic

    def set_limit(self, per_minute: int) -> None:
        """Allow this number from now on; the counts stay."""
        self._right.per_minute = self._wrong.per_minute = per_minute

    def take(self, requester: Requester, *, is_right: bool) -> bool:
        """Count a request, and return whether it was within the limit."""
        counter = self._right if is_right else self._wrong
        return _is_free(requester) or counter.allows(_key(requester), self._monotonic())

    def has_left(self, requester: Requester, *, is_right: bool) -> bool:
        """Return whether one more request would be within the limit."""
        counter = self._right if is_right else self._wrong
        return _is_free(requester) or counter.has_left(_key(requester), self._monotonic())

    def seconds_left(self, requester: Requester, *, is_right: bool) -> float:
        """Return after how many seconds one more request will be within the limit."""
        counter = self._right if is_right else self._wrong
        return counter.seconds_left(_key(requester), self._monotonic())


def _is_free(requester: Requester) -> bool:
    return requester.is_operator and not requester.account


def _key(requester: Requester) -> Hashable:
    if requester.login is not None:
        return requester.login.user
    if requester.account:
        return ("account", requester.account)
    return None if requester.address is None else address_block(requester.address)
