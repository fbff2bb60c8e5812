"""Reports repeated AUTH failures for one login, or for all logins of one account.

Only user names of existing logins count, so memory is bounded by the number of logins. Other
attempts are in the log and the metrics. A burst is reported when its number is reached; then
counting begins again.
"""

from collections.abc import Callable
from typing import Final

from restante.telemetry.event_bus import Log
from restante.telemetry.events import AuthenticationBurst
from restante.tenancy.model import IpAddress, Login

MINUTES: Final = 10
OF_A_LOGIN: Final = 10  # failures
OF_AN_ACCOUNT: Final = 30

_BurstOwner = tuple[str, str]  # "login" or "account", and its name


class AuthBursts:
    """Counts failures. A span begins with its first failure."""

    def __init__(self, log: Log, now: Callable[[], float]) -> None:
        """`now` is in seconds, from any start."""
        self._log = log
        self._now = now
        self._spans: dict[_BurstOwner, tuple[float, int]] = {}  # when it began, and failures since

    def failed(self, login: Login, peer: IpAddress) -> None:
        """Record an attempt that failed or was not even checked."""
        self._count(("login", login.user), login.account, OF_A_LOGIN, peer)
        self._count(("account", login.account), login.account, OF_AN_ACCOUNT, peer)

    def _count(self, key: _BurstOwner, account: str, limit: int, peer: IpAddress) -> None:
        now = self._now()
        since, failures = self._spans.get(key, (now, 0))
        if now - since > MINUTES * 60:
            since, failures = now, 0
        self._spans[key] = since, failures + 1
        if failures + 1 >= limit:
            del self._spans[key]
            kind, name = key
            self._log.publish(
                AuthenticationBurst(
                    login=name if kind == "login" else None,
                    account=account,
                    failures=failures + 1,
                    minutes=MINUTES,
                    peer=str(peer),
                )
            )
