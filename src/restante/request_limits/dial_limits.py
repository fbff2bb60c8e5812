"""How often accounts may make this server connect to a target. Pure: the time is an argument.

Without limits, an account could make this server a scanner of ports, or flood a mailbox with tests.
So a target is a whole host, or a mail address, and no name that the account chooses for a record.
All targets of an account count together, too.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from restante.request_limits.failed_logins import RateLimit

OF_TARGET: Final = 1  # a minute, by one account
OF_ACCOUNT: Final = 6  # a minute, to all targets
TO_TARGET: Final = 12  # a minute, by all accounts: many of them use one service


class DialWait(NamedTuple):
    """Why a check is not allowed now, and for how many seconds."""

    cause: str
    seconds: float


class DialLimits:
    """Allows checks within three limits."""

    def __init__(self, servers: Callable[[], int] = lambda: 1) -> None:
        """`servers` returns how many servers divide the limits."""
        self._pairs = RateLimit(OF_TARGET, servers)
        self._accounts = RateLimit(OF_ACCOUNT, servers)
        self._targets = RateLimit(TO_TARGET, servers)

    def allow(self, account: str, target: str, now: float) -> DialWait | None:
        """Count a check and return None, or return why it must wait.

        `now` is monotonic, in seconds.
        """
        limits = (
            (self._pairs, (account, target), f"this account has just had {target} checked"),
            (self._accounts, account, "this account has just started several checks"),
            (self._targets, target, f"{target} was just checked several times"),
        )
        waits = [
            DialWait(cause, limit.seconds_left(key, now))
            for limit, key, cause in limits
            if not limit.has_left(key, now)
        ]
        if waits:
            return max(waits, key=lambda wait: wait.seconds)
        for limit, key, _ in limits:
            limit.allows(key, now)
        return None
