"""One AUTH that is going on (RFC 4954 §4): lines of base64 to the mechanism, and its challenges back."""

import base64
from collections.abc import Callable

from restante.sasl.mechanism import BadResponse, Challenge, Credentials, Mechanism
from restante.smtp import replies
from restante.smtp.commands import decode_response
from restante.smtp.errors import Refused
from restante.smtp.events import Authenticate
from restante.smtp.replies import Reply


class AuthExchange:
    """From AUTH to what is to be checked. Each step returns the challenge to send, or that; or raises Refused, and it is over."""

    __slots__ = ("_mechanism", "_name")

    def __init__(self, name: str, mechanism: Mechanism) -> None:
        self._name = name
        self._mechanism = mechanism

    def begin(self, initial: bytes | None) -> Reply | Authenticate:
        """Take the initial response, None where AUTH had none."""
        return self._step(lambda: self._mechanism.begin(initial))

    def respond(self, line: bytes) -> Reply | Authenticate:
        """Take a line without its CRLF; `*` gives up."""
        if line == b"*":
            raise Refused(replies.AUTH_CANCELLED)
        response = decode_response(line) if line else b""
        return self._step(lambda: self._mechanism.respond(response))

    def _step(self, step: Callable[[], Challenge | Credentials]) -> Reply | Authenticate:
        try:
            outcome = step()
        except BadResponse:
            raise Refused(replies.BAD_ARGUMENTS) from None
        if isinstance(outcome, Challenge):
            return replies.CHALLENGE.fill(challenge=base64.b64encode(outcome.text).decode("ascii"))
        return Authenticate(self._name, outcome)
