"""How often accounts may make this server connect to a target. Pure: the time is an argument.

Without limits, an account could make this server a scanner of ports, or flood a mailbox with tests.
So a target is a whole host, or a mail address, and no name that the account chooses for a record.
Each purpose counts apart for a target, so that a check does not delay the drill that follows it.
All that an account starts counts together, too.
"""

from collections.abc import Callable, Hashable
from enum import Enum
from typing import Final, NamedTuple

from restante.request_limits.failed_logins import RateLimit

OF_TARGET: Final = 1  # a minute, for one purpose of one account
OF_ACCOUNT: Final = 6  # a minute, to all targets
TO_TARGET: Final = 12  # a minute, by all accounts: many of them use one service


class DialPurpose(Enum):
    """The purpose of a connection or of questions to DNS, as the words before its target."""

    CHECK = "a check of"  # a domain: DNS
    LOOK = "a look at"  # the destination of a domain that is checked
    DRILL = "a drill of"
    KEY = "a look at the key of"
    RECORDS = "a look-up of the records of"
    TEST = "a test of"


class DialWait(NamedTuple):
    """Why something is not allowed now, and for how many seconds."""

    cause: str
    seconds: float


class DialLimits:
    """Allows connections within three limits."""

    def __init__(self, servers: Callable[[], int] = lambda: 1) -> None:
        """`servers` returns how many servers divide the limits."""
        self._pairs = RateLimit(OF_TARGET, servers)
        self._accounts = RateLimit(OF_ACCOUNT, servers)
        self._targets = RateLimit(TO_TARGET, servers)

    def allow(self, account: str, purpose: DialPurpose, target: str, now: float) -> DialWait | None:
        """Count what an account starts and return None, or return why it must wait.

        `now` is monotonic, in seconds. A look is a part of a check or drill, which has counted.
        """
        limits: list[tuple[RateLimit, Hashable, str]] = [
            (
                self._pairs,
                (account, purpose, target),
                f"this account has just started {purpose.value} {target}",
            ),
            (self._targets, target, f"{target} was just checked several times"),
        ]
        if purpose is not DialPurpose.LOOK:
            cause = "this account has just started several checks, drills or tests"
            limits.append((self._accounts, account, cause))
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
