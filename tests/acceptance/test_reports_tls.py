"""Reports obey the TLS that a sender's domain demands, by DANE and by MTA-STS: real programs.

Six domains have the same Postfix as their MX, by six names. Their records differ, and so does the
end of each report.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.certificates import Authority, key_pin
from tests.acceptance.installation import RESTANTE, Installation
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import message
from tests.acceptance.threaded import Threaded

ADDRESS: Final = "127.0.0.1"
NAMED: Final = "mx.sts.example"  # the one name in the certificate of the MX
SERVED: Final = ("sts.example", "wrongname.example")  # with a policy of MTA-STS
DOMAINS: Final = ("key.example", "otherkey.example", "anchor.example", "plain.example", *SERVED)


class PolicyServer(Threaded):
    """Serves the policies of MTA-STS on the port of HTTPS, with a certificate for them."""

    def __init__(self, authority: Authority) -> None:
        self.asked: list[str] = []
        self._contexts: dict[str, ssl.SSLContext] = {}
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host = self.headers["host"]
                asked.append(host + self.path)
                mx = f"mx.{host.removeprefix('mta-sts.')}"
                body = f"version: STSv1\r\nmode: enforce\r\nmx: {mx}\r\nmax_age: 86400\r\n"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for one in SERVED:
            keys = authority.issue(f"mta-sts.{one}")
            self._contexts[f"mta-sts.{one}"] = made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.load_cert_chain(keys.certificate, keys.key)
        context.sni_callback = self._choose
        self._server = ThreadingHTTPServer((ADDRESS, 443), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def _choose(self, tls: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object) -> None:
        tls.context = self._contexts[name or ""]


class TrustingInstallation(Installation):
    """Its server trusts one authority, in place of those of the system."""

    trusted: Path

    def _program(self) -> Sequence[str | Path]:
        return ["/usr/bin/env", f"SSL_CERT_FILE={self.trusted}", RESTANTE]


def zone(certificate: Path, port: int) -> dict[str, dict[str, list[str]]]:
    digest = key_pin(certificate)
    tlsa = {"key": f"3 1 1 {digest}", "otherkey": f"3 1 1 {'ab' * 32}"}
    records: dict[str, dict[str, list[str]]] = {}
    for domain in DOMAINS:
        records |= {domain: {"MX": [f"10 mx.{domain}."]}, f"mx.{domain}": {"A": [ADDRESS]}}
    for label, value in tlsa.items():
        records[f"_{port}._tcp.mx.{label}.example"] = {"TLSA": [value]}
    for domain in SERVED:
        records[f"_mta-sts.{domain}"] = {"TXT": ['"v=STSv1; id=1;"']}
        records[f"mta-sts.{domain}"] = {"A": [ADDRESS]}
    return records


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The one authority that the server under test trusts."""
    return Authority(tmp_path, "world")


@pytest.fixture
def mx(authority: Authority) -> Iterator[Primary]:
    with PostfixPrimary(
        list(DOMAINS), address=ADDRESS, port=free_port(ADDRESS), keys=authority.issue(NAMED)
    ) as mx:
        mx.start()
        yield mx


def test_a_report_goes_only_where_the_demanded_tls_is(authority: Authority, mx: Primary) -> None:
    assert mx.keys is not None
    records = zone(mx.keys.certificate, mx.port)
    settings = f"[reports]\nport = {mx.port}\nfirst_retry = 0.2\nlongest_retry = 1.0\n"
    with (
        NameServer(records) as names,
        PolicyServer(authority) as policies,
        TrustingInstallation(more=f"{names.settings}\n{settings}") as restante,
    ):
        restante.trusted = authority.file
        names.validated = {one for one in records if "sts" not in one and "wrong" not in one}
        names.failing = {f"_{mx.port}._tcp.mx.anchor.example"}  # an answer that is kept from us
        restante.start()
        restante.hosts("held.example", "127.0.0.9:25")
        with smtplib.SMTP(restante.mx.host, restante.mx.port) as client:
            for domain in DOMAINS:
                client.sendmail(f"boss@{domain}", ["anna@held.example"], message(domain))
        restante.do("queue", "bounce", "--domain", "held.example", "--yes", "--reason", "test")

        def waiting() -> dict[str, str]:
            rows = restante.shown("report", "list")
            return {row["to"].partition("@")[2]: row["reply"] for row in rows}

        wanted = {"otherkey.example", "anchor.example", "wrongname.example"}
        eventually(lambda: waiting().keys() == wanted and all(waiting().values()), what="reports")
        told = waiting()
        assert "DANE: no TLSA record names the certificate" in told["otherkey.example"]
        assert "TLSA lookup for DANE failed" in told["anchor.example"]
        assert "(MTA-STS demands TLS)" in told["wrongname.example"]
        assert len(policies.asked) == len(SERVED)

        names.failing = set()
        records[f"_{mx.port}._tcp.mx.otherkey.example"] = records[f"_{mx.port}._tcp.mx.key.example"]
        eventually(lambda: waiting().keys() == {"wrongname.example"}, what="reports after mending")
        assert len(mx.wait_for(5)) == 5
