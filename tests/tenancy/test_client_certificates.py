"""Certificates that clients show: read, and refused where TLS would refuse them."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from restante.config.self_signed import CLIENT_DAYS, new_ecdsa_key, self_signed, self_signed_client
from restante.tenancy.client_certificates import (
    UnfitClientCertificate,
    new_login_certificate,
    read_login_certificates,
)
from restante.tenancy.login_certificate import certificates_text
from restante.tenancy.model import Directory, Login

NOW = 1_800_000_000.0
KEY = new_ecdsa_key()
PEM = self_signed_client("acme-mail", KEY, NOW).decode()


def test_a_certificate_is_known_by_its_key_and_shown_by_its_subject() -> None:
    found = new_login_certificate(PEM, NOW)
    assert (found.subject, len(found.key)) == ("CN=acme-mail", 64)
    assert found.expires_at == pytest.approx(NOW + CLIENT_DAYS * 86_400, abs=3601)
    renewed = new_login_certificate(self_signed_client("other", KEY, NOW + 9).decode(), NOW + 9)
    assert renewed.key == found.key
    assert renewed != found


def test_the_stored_text_is_read_as_it_was() -> None:
    both = (
        new_login_certificate(PEM, NOW),
        new_login_certificate(self_signed_client("b", new_ecdsa_key(), NOW).decode(), NOW),
    )
    assert read_login_certificates(certificates_text(both)) == both
    assert read_login_certificates("") == ()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "holds 0 certificates"),
        ("/etc/ssl/cert.pem", "holds no PEM certificate"),
        (PEM + PEM, "holds 2 certificates"),
        (PEM[:-40], "holds no PEM certificate"),
        (PEM.replace("M", "\0"), "holds no PEM certificate"),
        (self_signed("mx.acme.example", KEY, NOW).decode(), "is for servers only"),
        (self_signed_client("a", KEY, NOW - 86_400 * CLIENT_DAYS).decode(), "has expired"),
    ],
)
def test_others_are_refused_with_a_remedy(text: str, cause: str) -> None:
    with pytest.raises(UnfitClientCertificate, match=cause) as refused:
        new_login_certificate(text, NOW)
    assert refused.value.remedy


@pytest.mark.parametrize(("bits", "is_weak"), [(1024, True), (2048, False)])
def test_a_key_that_tls_would_ignore_is_refused(bits: int, *, is_weak: bool) -> None:
    """OpenSSL refuses it in the handshake only, where nobody sees why."""
    key = rsa.generate_private_key(65537, bits)
    text = self_signed_client("acme-mail", key, NOW).decode()
    assert read_login_certificates(text)  # one that was registered earlier
    if not is_weak:
        assert new_login_certificate(text, NOW).key
        return
    with pytest.raises(UnfitClientCertificate, match="1024 bits, too weak") as refused:
        new_login_certificate(text, NOW)
    assert "--generate" in refused.value.remedy


def test_a_subject_cannot_write_to_a_terminal() -> None:
    pem = self_signed_client("\x1b[2Jacme", new_ecdsa_key(), NOW).decode()
    assert x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string() != "CN=?[2Jacme"
    [found] = read_login_certificates(pem)
    assert found.subject.isprintable()


def test_a_directory_finds_logins_by_key() -> None:
    mine = new_login_certificate(PEM, NOW)
    logins = {
        name: Login(name, "acme", "", None, NOW, certificates=held)
        for name, held in (("a", (mine, mine)), ("b", ()), ("c", (mine,)))
    }
    directory = Directory(logins=logins)
    assert [one.user for one in directory.logins_with_key(mine.key)] == ["a", "c"]
    assert directory.logins_with_key("0" * 64) == ()
    assert set(directory.client_certificates) == {PEM}
    assert not logins["a"].has_password
