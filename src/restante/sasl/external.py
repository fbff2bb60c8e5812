"""EXTERNAL (RFC 4422, appendix A): the client has proved its key in the TLS handshake."""

from typing import Final

from restante.sasl.mechanism import BadResponse, CertificateCredentials, Challenge
from restante.tenancy.saslprep import prepared

EXTERNAL: Final = "EXTERNAL"


class ExternalExchange:
    """One EXTERNAL exchange."""

    def begin(self, initial: bytes | None) -> Challenge | CertificateCredentials:
        """Without an initial response the challenge is empty (RFC 4954 §4)."""
        return Challenge(b"") if initial is None else self.respond(initial)

    def respond(self, response: bytes) -> CertificateCredentials:
        """Read the identity that is asked for. If it is empty, the key decides."""
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError:
            raise BadResponse from None
        if "\0" in text or (text and not prepared(text)):
            raise BadResponse
        return CertificateCredentials(prepared(text) if text else "")
