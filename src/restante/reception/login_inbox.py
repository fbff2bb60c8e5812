"""The last use of each login, until `login_keeper` writes it to the store.

It comes from the events of the log, so AUTH waits for nothing. Events name existing logins only, so
memory is bounded by the number of logins.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from restante.telemetry.authentication_result import AuthenticationResult
from restante.telemetry.events import AuthenticationEnded
from restante.tenancy.model import LoginUse


class LoginUses(NamedTuple):
    """The last use of each login, and the last right password that came too late."""

    uses: Mapping[str, LoginUse]
    expired: Mapping[str, LoginUse]


class LoginInbox:
    """Keeps the last of each login. Belongs to the event loop."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns Unix time."""
        self._now = now
        self._uses: dict[str, LoginUse] = {}
        self._expired: dict[str, LoginUse] = {}

    def hear(self, event: AuthenticationEnded) -> None:
        """Take note of an attempt to authenticate."""
        kept = {
            AuthenticationResult.ACCEPTED: self._uses,
            AuthenticationResult.EXPIRED: self._expired,
        }.get(event.result)
        if not event.login or kept is None:
            return
        kept[event.login] = LoginUse(self._now(), event.peer, event.mechanism)

    def take(self) -> LoginUses:
        """Return what came since the last time, and forget it."""
        taken = LoginUses(self._uses, self._expired)
        self._uses, self._expired = {}, {}
        return taken

    def put_back(self, taken: LoginUses) -> None:
        """Keep uses that could not be written, unless there are later ones."""
        self._uses = {**taken.uses, **self._uses}
        self._expired = {**taken.expired, **self._expired}
