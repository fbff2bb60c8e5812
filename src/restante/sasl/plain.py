"""PLAIN (RFC 4616): authorization identity, user name and password, NUL between them."""

from restante.sasl.mechanism import BadResponse, Challenge, PasswordCredentials
from restante.tenancy.saslprep import prepared

_PARTS = 3


class PlainExchange:
    """One PLAIN exchange."""

    def begin(self, initial: bytes | None) -> Challenge | PasswordCredentials:
        """Without an initial response the challenge is empty (RFC 4954 §4)."""
        return Challenge(b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> PasswordCredentials:
        """Read the message. Names are compared in their prepared form (RFC 4616 §2).

        An authorization identity must be the user's own: nobody acts for another here.
        """
        try:
            parts = response.decode("utf-8").split("\0")
        except UnicodeDecodeError:
            raise BadResponse from None
        if len(parts) != _PARTS:
            raise BadResponse
        authorization, user, password = prepared(parts[0]), prepared(parts[1]), parts[2]
        if not user or (parts[0] and authorization != user):
            raise BadResponse
        return PasswordCredentials(user, password)
