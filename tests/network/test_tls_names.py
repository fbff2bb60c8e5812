"""The certificate by the name that a client asks for, in handshakes without sockets."""

import ssl
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trustme

from restante.network.tls import TlsFailed, TlsLayer
from restante.network.tls_names import context_for, ignore_strange_names, serve_by_name
from tests.network.test_tls import shake_hands

AUTHORITY = trustme.CA()
DEFAULT, CUSTOMER, MANY = "mx2.example.net", "mx.customer.example", "*.many.example"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def made_for(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def server() -> ssl.SSLContext:
    context = made_for(DEFAULT)
    serve_by_name(context, {CUSTOMER: made_for(CUSTOMER), MANY: made_for(MANY)})
    return context


def shown(server: ssl.SSLContext, name: str | None, version: ssl.TLSVersion) -> str:
    """Return the host of the certificate that a client gets."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    context.check_hostname = False
    context.maximum_version = version
    dialed = TlsLayer(context, is_server=False, peer_name=name)
    accepted = TlsLayer(server, is_server=True)
    shake_hands(dialed, accepted)
    shake_hands(accepted, dialed)
    certificate = dialed._tls.getpeercert()
    assert certificate is not None
    return str(dict(certificate["subjectAltName"])["DNS"])  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("asked", "gets"),
    [
        (CUSTOMER, CUSTOMER),
        ("MX.Customer.Example", CUSTOMER),
        (DEFAULT, DEFAULT),
        ("mx5.many.example", MANY),
        ("a.b.many.example", DEFAULT),
        ("many.example", DEFAULT),
        ("mx.other.example", DEFAULT),
        (None, DEFAULT),
    ],
)
def test_a_client_gets_the_certificate_that_it_asks_for(
    server: ssl.SSLContext, asked: str | None, gets: str, version: ssl.TLSVersion
) -> None:
    assert shown(server, asked, version) == gets


def test_a_dot_at_the_end_changes_nothing() -> None:
    """RFC 6066 forbids it, and some clients send it."""
    context = made_for(CUSTOMER)
    assert context_for("mx.customer.example.", {CUSTOMER: context}) is context
    assert context_for("", {CUSTOMER: context}) is None


def test_an_exact_name_is_preferred_to_a_wildcard() -> None:
    exact, wildcard = made_for("a.many.example"), made_for(MANY)
    named = {MANY: wildcard, "a.many.example": exact}
    assert context_for("a.many.example", named) is exact
    assert context_for("b.many.example", named) is wildcard


def test_without_names_nothing_is_called() -> None:
    context = made_for(DEFAULT)
    serve_by_name(context, {})
    assert context.sni_callback is None


@pytest.fixture
def unraisable() -> Iterator[list[object]]:
    """Collect what Python could not raise, below our own hook."""
    before, found = sys.unraisablehook, list[object]()
    sys.unraisablehook = found.append
    ignore_strange_names()
    yield found
    sys.unraisablehook = before


def test_a_name_outside_ascii_ends_the_handshake_and_fills_no_log(
    server: ssl.SSLContext, unraisable: list[object]
) -> None:
    dialed = TlsLayer(ssl.create_default_context(), is_server=False, peer_name="mx.customer.exampl")
    hello = dialed.take_outgoing()
    assert hello.count(b"mx.customer.exampl") == 1
    accepted = TlsLayer(server, is_server=True)
    with pytest.raises(TlsFailed):
        accepted.receive(hello.replace(b"mx.customer.exampl", b"mx.custom\xc3\xa9r.example"[:18]))
    assert unraisable == []
    assert accepted.take_outgoing() != b""  # the alert


@pytest.mark.parametrize(
    ("kind", "of", "message", "told"),
    [
        (UnicodeDecodeError, b"caf\xe9", None, False),  # Python 3.11 to 3.13
        (UnicodeDecodeError, None, "in ssl servername callback while decoding name b'x'", False),
        (UnicodeDecodeError, None, None, True),
        (UnicodeDecodeError, None, "in a destructor", True),
        (ValueError, None, "in ssl servername callback while decoding name b'x'", True),
    ],
)
def test_a_strange_name_is_known_as_each_version_of_python_reports_it(
    unraisable: list[object],
    kind: type[Exception],
    of: bytes | None,
    message: str | None,
    told: bool,
) -> None:
    report = SimpleNamespace(
        exc_type=kind, exc_value=None, exc_traceback=None, err_msg=message, object=of
    )
    sys.unraisablehook(cast(Any, report))
    assert unraisable == ([report] if told else [])


def test_other_exceptions_of_that_kind_are_still_told(unraisable: list[object]) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError

    Broken()
    assert len(unraisable) == 1
