"""Certificates by ACME, from a real authority for tests (Pebble)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from cryptography import x509

from tests.acceptance.certificates import key_pin
from tests.acceptance.installation import HOST, HOSTNAME, Installation
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.pebble import TERMS, Pebble
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.programs import run

CUSTOMER: Final = "mx.customer.example"
SETTINGS: Final = """
[[listen]]
service = "acme"
address = "127.0.0.1:{port}"

[acme]
directory = "{directory}"
names = ["{hostname}", "{customer}"]
accept_terms = "{terms}"
contact = "hostmaster@example.net"
ca_file = "{authority}"
"""
DAY: Final = 86400


@contextmanager
def certified(terms: str = TERMS, port: int = 0) -> Iterator[Installation]:
    zone = {name: {"A": [HOST]} for name in (HOSTNAME, CUSTOMER)}
    port = port or free_port(HOST)
    with NameServer(zone) as names, Pebble(port, names.port) as pebble:
        more = names.settings + SETTINGS.format(
            port=port,
            directory=pebble.directory,
            hostname=HOSTNAME,
            customer=CUSTOMER,
            terms=terms,
            authority=pebble.authority,
        )
        with Installation(more=more) as restante:
            restante.certify_itself()
            restante.start()
            yield restante


def issued(restante: Installation) -> set[str]:
    return {host for line in restante.events("certificate-issued") for host in line["hosts"]}


def shown(restante: Installation, *options: str) -> str:
    """Return the issuer and subject that a client sees."""
    ended = run("openssl", "s_client", "-connect", f"{HOST}:{restante.smtps_port}", *options)
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("issuer=", "subject="))]
    return " ".join(lines)


def test_certificates_are_ordered_shown_and_renewed_with_the_same_key() -> None:
    port = free_port(HOST)
    with certified(port=port) as restante:
        eventually(lambda: issued(restante) == {HOSTNAME, CUSTOMER}, what="both")
        for options in (("-servername", CUSTOMER), ("-noservername",)):
            assert "Pebble" in shown(restante, *options)
        assert CUSTOMER in shown(restante, "-servername", CUSTOMER)
        rsa = shown(restante, "-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256")
        assert "Pebble" not in rsa, "old clients keep the RSA certificate of [tls]"
        made = restante.directory / "data/acme"
        assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o600}
        assert made.stat().st_mode & 0o777 == 0o700
        for path in ("/", "/.well-known/acme-challenge/x", "/v1/status", "/healthz"):
            assert httpx.get(f"http://{HOST}:{port}{path}").status_code == 404
        assert restante.run("status", "--check").returncode == 0

        copy = restante.directory / "copy"
        restante.do("store", "backup", str(copy))
        assert _files(copy / "acme") == _files(made)

        before = {name: (made / f"{name}.pem") for name in (HOSTNAME, CUSTOMER)}
        pins = {name: key_pin(file) for name, file in before.items()}
        serials = {name: serial(file) for name, file in before.items()}
        ends = x509.load_pem_x509_certificate(before[CUSTOMER].read_bytes()).not_valid_after_utc
        restante.stop()
        restante.ahead(ends.timestamp() - 20 * DAY - time.time())
        restante.start()
        eventually(
            lambda: all(serial(file) != serials[name] for name, file in before.items()),
            what="the renewal",
        )
        assert {name: key_pin(file) for name, file in before.items()} == pins

        restante.stop()
        (restante.directory / "data").rename(restante.directory / "data.lost")
        copy.rename(restante.directory / "data")  # the restore
        restante.start()
        assert {name: key_pin(file) for name, file in before.items()} == pins
        assert CUSTOMER in shown(restante, "-servername", CUSTOMER)


def _files(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def serial(file: Path) -> int:
    return x509.load_pem_x509_certificate(file.read_bytes()).serial_number


def test_terms_that_the_operator_did_not_accept_are_not_accepted() -> None:
    with certified("https://example.net/other-terms") as restante:
        failed = restante.wait_for_event("certificate-order-failed")
        assert f"terms of service are {TERMS}" in failed["reason"]
        assert failed["retry_seconds"] == 3600
        assert not issued(restante)
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(restante.socket)), base_url="http://x"
        ) as client:
            assert "restante_certificate_orders_failed_total 2" in client.get("/metrics").text
        restante.stop()
        restante.start()
        assert len(restante.events("certificate-order-failed")) == 2, "a restart does not try again"
