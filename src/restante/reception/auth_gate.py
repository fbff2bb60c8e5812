"""AUTH under attack: what is tried too often is put off, and the owner of a login gets in all the same.

Order of the checks, cheapest first: attempts a minute, failures remembered, checks that wait, and only then the costly
look at the password. The first three give way to a login that is tried from one of its own authorized hosts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final

from restante.network.addresses import address_block
from restante.reception.authentication import Authenticator, Proved
from restante.reception.expected_hosts import ExpectedHosts
from restante.reception.settings import ReceptionSettings
from restante.sasl.mechanism import Credentials
from restante.smtp.replies import AUTH_UNAVAILABLE, AUTHENTICATED, BAD_CREDENTIALS, Reply
from restante.tenancy.attempts import FailureLedger, RateLimit
from restante.tenancy.model import Directory, IpAddress, Login

_BUSY: Final = "too many at once"
_OURS: Final = f"put off: {_BUSY}"  # the reason for it is with us, and no guess


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to answer to an attempt, whose login was proved, and the true reason for the log."""

    reply: Reply
    login: Login | None
    reason: str
    last_word: bytes = b""  # of a mechanism by which we prove ourselves too; before the reply


class AuthGate:
    """Stands before the authenticator, for all sessions."""

    def __init__(
        self,
        authenticator: Authenticator,
        expected: ExpectedHosts,
        settings: ReceptionSettings,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        on_failure: Callable[[Login, IpAddress], None] = lambda _login, _address: None,
    ) -> None:
        """`now` is monotonic, in seconds; `on_failure` is told of a login for which it was tried in vain, and from where."""
        self._authenticator = authenticator
        self._expected = expected
        self._now = now
        self._sleep = sleep
        self._on_failure = on_failure
        self._failures = FailureLedger(settings.failures_until_refusal, settings.failure_memory)
        self._rate = RateLimit(settings.authentications_per_minute)
        self._most_pending = settings.pending_authentications_limit
        self._pending = 0

    def set_limits(self, settings: ReceptionSettings) -> None:
        """Count by new limits from now on; what was counted stays."""
        self._failures.until_refusal = settings.failures_until_refusal
        self._failures.memory = settings.failure_memory
        self._rate.per_minute = settings.authentications_per_minute
        self._most_pending = settings.pending_authentications_limit

    async def attempt(self, credentials: Credentials, address: IpAddress, directory: Directory) -> Verdict:
        """Check credentials, or put the attempt off. A failure is answered late, and later each time."""
        verdict = await self._judge(credentials, address, directory)
        login = directory.logins.get(credentials.user)
        if verdict.login is None and login is not None and verdict.reason != _OURS:
            self._on_failure(login, address)
        return verdict

    async def _judge(self, credentials: Credentials, address: IpAddress, directory: Directory) -> Verdict:
        login = directory.logins.get(credentials.user)
        is_at_home = login is not None and self._expected.is_home_of(login.account, address)
        keys: tuple[Hashable, ...] = (credentials.user, address_block(address))
        reason = self._reason_to_put_off(keys, is_at_home=is_at_home)
        if reason:
            return Verdict(AUTH_UNAVAILABLE, None, f"put off: {reason}")
        proved = await self._check(credentials, directory)
        if proved is None:
            self._failures.failed(keys, self._now())
            await self._sleep(self._failures.delay(keys, self._now()))
            return Verdict(BAD_CREDENTIALS, None, "refused")
        # The block's failures stay: else a login of one's own would buy guesses at others without end.
        self._failures.succeeded(keys[:1])
        return Verdict(AUTHENTICATED, proved.login, "accepted", proved.last_word)

    def _reason_to_put_off(self, keys: tuple[Hashable, ...], *, is_at_home: bool) -> str:
        now = self._now()
        if not self._rate.allows(keys if is_at_home else keys[1], now):
            return "too many attempts in a minute"
        if is_at_home:
            return ""
        if self._failures.is_refused(keys, now):
            return "too many failures"
        return _BUSY if self._pending >= self._most_pending else ""

    async def _check(self, credentials: Credentials, directory: Directory) -> Proved | None:
        self._pending += 1
        try:
            return await self._authenticator.authenticate(credentials, directory)
        finally:
            self._pending -= 1
