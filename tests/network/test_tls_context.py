"""TLS policies as contexts."""

import ssl
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from restante.network.tls import TlsLayer
from restante.network.tls_context import (
    VERSIONS,
    dane_client_context,
    oldest_version,
    server_context,
    unverified_client_context,
    verifying_client_context,
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate and its key."""
    certificate = tmp_path_factory.mktemp("tls") / "certificate.pem"
    key = certificate.with_name("key.pem")
    issued = trustme.CA().issue_cert("mx2.example")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None
) -> ssl.SSLObject:
    """Return the client's end of a connection that has got what the server sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(incoming, outgoing, session=session)
    answering = TlsLayer(server, is_server=True)
    for step in (asking.do_handshake, asking.do_handshake, lambda: asking.read(1)):
        with suppress(ssl.SSLWantReadError):
            step()
        if outgoing.pending:
            answering.receive(outgoing.read())
        incoming.write(answering.take_outgoing())
    assert answering.is_established
    return asking


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_one_ticket_of_a_client_resumes_its_session(
    pair: tuple[Path, Path], version: str
) -> None:
    server, client = server_context([pair], "1.2", has_clear_text=True), unverified_client_context()
    client.maximum_version = VERSIONS[version]
    assert server.num_tickets == 1
    first = shake_hands(server, client, None)
    with suppress(ssl.SSLWantReadError):
        first.read(1)  # where TLS 1.3 sends its ticket
    assert not first.session_reused
    assert shake_hands(server, client, first.session).session_reused


def suites(context: ssl.SSLContext) -> set[str]:
    """Return the names of suites without authenticated encryption."""
    return {one["name"] for one in context.get_ciphers() if not one["aead"]}


@pytest.mark.parametrize("minimum", VERSIONS)
@pytest.mark.parametrize("has_clear_text", [True, False])
def test_a_server_speaks_the_minimum_and_later(
    pair: tuple[Path, Path], minimum: str, *, has_clear_text: bool
) -> None:
    context = server_context([pair], minimum, has_clear_text=has_clear_text)
    assert oldest_version(context) == minimum
    assert context.maximum_version == ssl.TLSVersion.MAXIMUM_SUPPORTED
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.options & ssl.OP_NO_COMPRESSION


@pytest.mark.parametrize(
    ("minimum", "has_clear_text", "has_cbc"),
    [
        ("1.0", True, True),
        ("1.1", False, True),  # these versions have no other suites
        ("1.2", True, True),  # better than clear text
        ("1.2", False, False),
    ],
)
def test_cbc_suites_stay_where_the_alternative_is_worse(
    pair: tuple[Path, Path], minimum: str, *, has_clear_text: bool, has_cbc: bool
) -> None:
    context = server_context([pair], minimum, has_clear_text=has_clear_text)
    assert bool(suites(context)) is has_cbc


@pytest.mark.parametrize(
    ("minimum", "level"), [("1.0", 0), ("1.1", 0), ("1.2", None), ("1.3", None)]
)
def test_only_a_legacy_profile_lowers_the_security_level(
    pair: tuple[Path, Path], minimum: str, level: int | None
) -> None:
    usual = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).security_level
    context = server_context([pair], minimum, has_clear_text=True)
    assert context.security_level == (usual if level is None else level)


def test_a_legacy_profile_causes_no_warning(pair: tuple[Path, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        server_context([pair], "1.0", has_clear_text=True)
        unverified_client_context()


def test_files_that_cannot_be_used(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    with pytest.raises(ssl.SSLError):
        server_context([(key, certificate)], "1.2", has_clear_text=True)
    with pytest.raises(FileNotFoundError):
        server_context([(certificate, key.with_name("none"))], "1.2", has_clear_text=True)
    with pytest.raises(FileNotFoundError):
        verifying_client_context(str(key.with_name("none")))


def test_a_client_that_does_not_verify_takes_any_certificate_and_version() -> None:
    context = unverified_client_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert oldest_version(context) == "1.0"


def test_a_client_that_verifies_trusts_the_authorities_of_its_file_alone(
    pair: tuple[Path, Path],
) -> None:
    context = verifying_client_context(str(pair[0]))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509"] == 1


def test_dane_checks_the_certificate_itself_and_takes_no_old_version() -> None:
    context = dane_client_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    assert oldest_version(context) == "1.2"
