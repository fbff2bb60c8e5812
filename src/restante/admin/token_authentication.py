"""Authenticates a request by its token, and gives one answer to every token that is not valid.

The secret is compared first, also for an id that nobody has. The state of a token counts only
after its right secret. So neither the text nor the time of the answer tells more about a token. The
log has the true cause.

A flood of wrong tokens costs a hash each. After some failures an address block gets another answer
without a line in the log. A valid token is accepted from there too: a secret of 256 bits cannot be
guessed, and nobody may lock out a neighbor.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from restante.admin.token_uses import TokenUses
from restante.network.addresses import address_block, plain_address
from restante.request_limits.failed_logins import FailureLedger, ShareLedger, share_with_nobody
from restante.store.live_directory import LiveDirectory
from restante.telemetry.event_bus import Log
from restante.telemetry.events import TokenRefused
from restante.tenancy.api_token import (
    ApiToken,
    TokenState,
    hash_secret,
    new_secret,
    read_token,
)
from restante.tenancy.model import IpAddress
from restante.tenancy.principal import Principal
from restante.tenancy.token_chain import admits, state_of, token_principal

FAILURES_UNTIL_REFUSAL: Final = 20  # of an address block
FAILURE_SECONDS: Final = 600.0  # without a further one, they are forgotten
_HEADER: Final = "authorization"
_SCHEME: Final = "bearer"
# A secret is compared with this one if there is no token of the given id.
_NOBODYS: Final = ApiToken("", "", "", hash_secret(new_secret()[0].secret), frozenset(), "", 0.0)

NOT_VALID: Final = "no valid token came with the request"
HOW_TO_SEND: Final = "send `Authorization: Bearer TOKEN`; `restante token add` makes one"
TOO_MANY_FAILED: Final = "too many wrong tokens came from this address"
REVOKE_IT: Final = "send it in the header Authorization; revoke this one, because URLs are logged"


class TokenFault(StrEnum):
    """The cause of a refusal, where it is not the state of the token."""

    UNKNOWN = "unknown"
    WRONG_SECRET = "wrong-secret"  # noqa: S105  a name
    WRONG_NETWORK = "wrong-network"  # the client has an address that the token does not admit
    IN_URL = "in-url"


class NoValidToken(Exception):  # noqa: N818
    """The request is nobody's. The text is the same for every cause."""

    def __init__(self, *, is_flood: bool = False) -> None:
        """`is_flood`: so many have failed from there that this one was not logged."""
        super().__init__(TOO_MANY_FAILED if is_flood else NOT_VALID)
        self.is_flood = is_flood


class TokenGate:
    """Authenticates the requests of all listeners. Belongs to the event loop."""

    def __init__(
        self,
        directory: LiveDirectory,
        uses: TokenUses,
        log: Log,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        share: ShareLedger = share_with_nobody,
    ) -> None:
        """`now` is Unix time, `monotonic` seconds that only grow.

        `share` shares failures with other servers.
        """
        self._directory = directory
        self._uses = uses
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._failures = share("token", FailureLedger(FAILURES_UNTIL_REFUSAL, FAILURE_SECONDS))

    def authenticate(self, headers: Mapping[str, str], address: IpAddress) -> Principal:
        """Return the principal of a request from an address. Raises NoValidToken.

        `headers` finds a header by its name in lower case.
        """
        scheme, _, text = headers.get(_HEADER, "").partition(" ")
        if scheme.lower() != _SCHEME:
            raise NoValidToken
        directory, address = self._directory.now, plain_address(address)
        presented = read_token(text.strip())
        token = directory.tokens.get(presented.id) if presented is not None else None
        secret = presented.secret if presented is not None else text
        is_right = (token or _NOBODYS).has_secret(secret)
        if token is None or not is_right:
            cause = TokenFault.UNKNOWN if token is None else TokenFault.WRONG_SECRET
            raise self._refused(token, presented.id if presented else "", cause, address)
        state = state_of(token, directory, self._now())
        if state is not TokenState.ACTIVE:
            raise self._refused(token, token.id, state, address)
        if not admits(token, directory, address):
            raise self._refused(token, token.id, TokenFault.WRONG_NETWORK, address)
        self._uses.used(token.id)
        return token_principal(token, directory, str(address))

    def refuse_url(self, token_id: str, address: IpAddress) -> None:
        """Log a request that had a token in its URL."""
        token = self._directory.now.tokens.get(token_id)
        self._refused(token, token_id, TokenFault.IN_URL, address)

    def _refused(
        self,
        token: ApiToken | None,
        token_id: str,
        cause: TokenFault | TokenState,
        address: IpAddress,
    ) -> NoValidToken:
        """Count a failure, log it unless there are too many, and return the error."""
        keys, now = (address_block(address),), self._monotonic()
        is_flood = self._failures.is_refused(keys, now)
        self._failures.failed(keys, now)
        if not is_flood:
            self._log.publish(
                TokenRefused(
                    token=token_id,
                    token_name=token.name if token is not None else "",
                    account=token.account if token is not None else "",
                    peer=str(address),
                    cause=cause,
                )
            )
        return NoValidToken(is_flood=is_flood)
