"""One AUTH exchange (RFC 4954 §4): lines of base64 to the mechanism, and its challenges back.

If the server proves itself too, that is the last challenge, and the response to it must be empty.
SMTP has no place for additional data in the 235.
"""

import base64
from collections.abc import Callable

from restante.sasl.mechanism import BadResponse, Challenge, SaslCredentials, SaslMechanism
from restante.smtp import replies
from restante.smtp.commands import decode_response
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import Reply
from restante.smtp.server_events import Authenticate


class AuthExchange:
    """One AUTH command, up to the credentials to check.

    Each step returns the next challenge or the credentials. CommandRefused ends the exchange.
    """

    __slots__ = ("_mechanism", "_name")

    def __init__(self, name: str, mechanism: SaslMechanism) -> None:
        self._name = name
        self._mechanism = mechanism

    def begin(self, initial: bytes | None) -> Reply | Authenticate:
        """Take the initial response, None where AUTH had none."""
        return self._step(lambda: self._mechanism.begin(initial))

    def respond(self, line: bytes) -> Reply | Authenticate:
        """Take a line without its CRLF; `*` gives up."""
        if line == b"*":
            raise CommandRefused(replies.AUTH_CANCELLED)
        response = decode_response(line) if line else b""
        return self._step(lambda: self._mechanism.respond(response))

    def _step(self, step: Callable[[], Challenge | SaslCredentials]) -> Reply | Authenticate:
        try:
            outcome = step()
        except BadResponse:
            raise CommandRefused(replies.BAD_ARGUMENTS) from None
        if isinstance(outcome, Challenge):
            return challenge(outcome.text)
        return Authenticate(self._name, outcome)


class AuthConclusion:
    """The end of an exchange: the credentials are good, and the client must take our proof."""

    __slots__ = ("_reply",)

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def respond(self, line: bytes) -> Reply:
        """Return the reply that lets the client in. Raises CommandRefused if a line has text."""
        if line == b"*":
            raise CommandRefused(replies.AUTH_CANCELLED)
        if line not in (b"", b"="):
            raise CommandRefused(replies.BAD_ARGUMENTS)
        return self._reply


def challenge(text: bytes) -> Reply:
    """Return a challenge as a reply."""
    return replies.CHALLENGE.fill(challenge=base64.b64encode(text).decode("ascii"))
