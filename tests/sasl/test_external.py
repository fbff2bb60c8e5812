"""EXTERNAL: an identity, or none."""

import pytest

from restante.sasl.external import ExternalExchange
from restante.sasl.mechanism import BadResponse, CertificateCredentials, Challenge


@pytest.mark.parametrize(
    ("response", "user"), [(b"", ""), (b"acme-mail", "acme-mail"), ("\u00aa".encode(), "a")]
)
def test_the_identity_may_come_at_once_or_after_a_challenge(response: bytes, user: str) -> None:
    assert ExternalExchange().begin(response) == CertificateCredentials(user)
    exchange = ExternalExchange()
    assert exchange.begin(None) == Challenge(b"")
    assert exchange.respond(response) == CertificateCredentials(user)


@pytest.mark.parametrize("response", [b"\xff", b"a\0b", b"\0", b"\xc2\xad"])
def test_other_octets_are_no_identity(response: bytes) -> None:
    """A soft hyphen alone is nothing once prepared, and must not become "the key decides"."""
    with pytest.raises(BadResponse):
        ExternalExchange().begin(response)
