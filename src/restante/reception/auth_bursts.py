"""Tells of AUTH that fails again and again: for one login, or for the logins of one account together.

Only of user names that are somebody's: what strangers try besides is in the log and the metrics. So memory is bounded by
the logins there are. A burst is told when its number is reached; the next one counts from there.
"""

from collections.abc import Callable
from typing import Final

from restante.telemetry.events import Event
from restante.telemetry.log import Log
from restante.tenancy.model import IpAddress, Login

MINUTES: Final = 10
OF_A_LOGIN: Final = 10  # failures
OF_AN_ACCOUNT: Final = 30

_Key = tuple[str, str]  # "login" or "account", and its name


class AuthBursts:
    """Counts failures, in spans that begin with the first."""

    def __init__(self, log: Log, now: Callable[[], float]) -> None:
        """`now` is in seconds, from whenever."""
        self._log = log
        self._now = now
        self._spans: dict[_Key, tuple[float, int]] = {}  # when it began, and failures since

    def failed(self, login: Login, peer: IpAddress) -> None:
        """Take note of an attempt that failed, or was not even looked at."""
        self._count(("login", login.user), login.account, OF_A_LOGIN, peer)
        self._count(("account", login.account), login.account, OF_AN_ACCOUNT, peer)

    def _count(self, key: _Key, account: str, limit: int, peer: IpAddress) -> None:
        now = self._now()
        since, failures = self._spans.get(key, (now, 0))
        if now - since > MINUTES * 60:
            since, failures = now, 0
        self._spans[key] = since, failures + 1
        if failures + 1 >= limit:
            del self._spans[key]
            scope, name = key
            self._log.write(
                Event.AUTHENTICATION_BURST,
                scope=scope,
                name=name,
                account=account,
                failures=failures + 1,
                minutes=MINUTES,
                peer=str(peer),
            )
