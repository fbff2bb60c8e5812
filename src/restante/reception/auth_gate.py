"""Limit AUTH under attack, but admit the owner of a login.

The order of the checks, cheapest first: attempts in a minute, remembered failures, waiting checks,
and only then the costly check of the password. For a client at an authorized host of the login's
account, attempts are counted for that login alone. Remembered failures and the limit of waiting
checks do not apply to it, and its check does not wait behind those of strangers.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

from restante.network.addresses import address_block
from restante.reception.authentication import Authenticator
from restante.reception.credential_lanes import CheckOmitted, LanePosition
from restante.reception.primary_addresses import ExpectedHosts
from restante.reception.reception_settings import ReceptionSettings
from restante.request_limits.failed_logins import FailureLedger, RateLimit
from restante.sasl.mechanism import SaslCredentials
from restante.smtp.replies import AUTH_UNAVAILABLE, AUTHENTICATED, BAD_CREDENTIALS, Reply
from restante.telemetry.authentication_result import AuthenticationLimit, AuthenticationResult
from restante.tenancy.model import Directory, IpAddress, Login


@dataclass(frozen=True, slots=True)
class AuthDecision:
    """The answer to an attempt, the login that was proved, and the true result for the log."""

    reply: Reply
    login: Login | None
    result: AuthenticationResult
    limit: AuthenticationLimit | None = None  # that deferred it
    # from a mechanism by which we prove ourselves too; sent before the reply
    last_word: bytes = b""


class AuthGate:
    """Stands before the authenticator, for all sessions."""

    def __init__(
        self,
        authenticator: Authenticator,
        expected: ExpectedHosts,
        settings: ReceptionSettings,
        now: Callable[[], float],
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
        *,
        on_failure: Callable[[Login, IpAddress], None] = lambda _login, _address: None,
        failures: FailureLedger | None = None,
        servers: Callable[[], int] = lambda: 1,
    ) -> None:
        """`now` is monotonic, in seconds; `on_failure` gets the login and address of a failure.

        `failures` are shared with other `servers`, by whose number the rate is divided.
        """
        self._authenticator = authenticator
        self._expected = expected
        self._now = now
        self._sleep = sleep
        self._on_failure = on_failure
        bounds = (settings.failures_until_refusal, settings.failure_memory)
        self._failures = FailureLedger(*bounds) if failures is None else failures
        self._rate = RateLimit(settings.authentications_per_minute, servers)
        self._delays: set[asyncio.Future[None]] = set()
        self._is_closed = False

    def set_limits(self, settings: ReceptionSettings) -> None:
        """Count by new limits from now on; the counts stay."""
        self._failures.until_refusal = settings.failures_until_refusal
        self._failures.memory = settings.failure_memory
        self._rate.per_minute = settings.authentications_per_minute
        self._authenticator.set_limit(settings.pending_authentications_limit)

    async def attempt(
        self,
        credentials: SaslCredentials,
        address: IpAddress,
        directory: Directory,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> AuthDecision:
        """Check credentials, or defer the attempt. A failure is answered late, and later each time.

        `is_wanted` returns whether the client is still connected. Without it nothing is checked.
        """
        verdict = await self._judge(credentials, address, directory, is_wanted)
        login = directory.logins.get(credentials.user)
        is_ours = verdict.limit is AuthenticationLimit.AT_ONCE  # the client did not guess
        if verdict.login is None and login is not None and not is_ours:
            self._on_failure(login, address)
        return verdict

    def close(self) -> None:
        """Answer at once from now on, because the server stops. Waiting checks are not made."""
        self._is_closed = True
        self._authenticator.close()
        for delay in self._delays:
            delay.cancel()

    async def _judge(
        self,
        credentials: SaslCredentials,
        address: IpAddress,
        directory: Directory,
        is_wanted: Callable[[], bool],
    ) -> AuthDecision:
        login = directory.logins.get(credentials.user)
        block = address_block(address)
        is_authorized_host = login is not None and self._expected.is_authorized_for(
            login.account, address
        )
        share = login.account if login is not None and is_authorized_host else block
        keys: tuple[Hashable, ...] = (credentials.user, block)
        limit = self._limit_reached(keys, is_authorized_host=is_authorized_host)
        if limit is not None:
            return deferred_decision(limit)
        place = LanePosition(is_authorized_host, share, is_wanted)
        proved = await self._authenticator.authenticate(credentials, directory, place)
        if proved is CheckOmitted.UNCHECKED:
            return deferred_decision(AuthenticationLimit.AT_ONCE)
        if proved is None or proved.has_expired:
            self._failures.failed(keys, self._now())
            await self._delay(self._failures.delay(keys, self._now()))
            if proved is None:
                return AuthDecision(BAD_CREDENTIALS, None, AuthenticationResult.REFUSED)
            return AuthDecision(BAD_CREDENTIALS, None, AuthenticationResult.EXPIRED)
        # The block's failures stay. Otherwise a client could use its own login to guess at others
        # without end.
        self._failures.succeeded(keys[:1])
        return AuthDecision(
            AUTHENTICATED,
            proved.login,
            AuthenticationResult.ACCEPTED,
            last_word=proved.last_word,
        )

    async def _delay(self, seconds: float) -> None:
        if self._is_closed:
            return
        delay = asyncio.ensure_future(self._sleep(seconds))
        self._delays.add(delay)
        try:
            await asyncio.wait([delay])
        finally:
            delay.cancel()
            self._delays.discard(delay)

    def _limit_reached(
        self, keys: tuple[Hashable, ...], *, is_authorized_host: bool
    ) -> AuthenticationLimit | None:
        now = self._now()
        if not self._rate.allows(keys if is_authorized_host else keys[1], now):
            return AuthenticationLimit.ATTEMPTS
        if not is_authorized_host and self._failures.is_refused(keys, now):
            return AuthenticationLimit.FAILURES
        return None


def deferred_decision(limit: AuthenticationLimit) -> AuthDecision:
    """Return the answer to an attempt whose credentials are not examined now."""
    return AuthDecision(AUTH_UNAVAILABLE, None, AuthenticationResult.DEFERRED, limit)
