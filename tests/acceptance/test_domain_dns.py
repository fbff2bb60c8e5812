"""The records to publish for a domain: real DNS answers, the real server, the real command."""

from __future__ import annotations

import json
from typing import Any, Final

import trustme

from tests.acceptance.certificates import key_pin
from tests.acceptance.installation import HOST, HOSTNAME, Installation
from tests.acceptance.name_server import NameServer, Records

DOMAIN: Final = "customer.example"
NAME: Final = f"mx.{DOMAIN}"
NAMED: Final = '[[tls.names]]\ncertificate = "tls/customer.pem"\nkey = "tls/customer-key.pem"\n'
POINTER: Final = "2.113.0.203.in-addr.arpa"
OURS: Final = "203.0.113.2"


def zone(pin: str) -> Records:
    return {
        DOMAIN: {"MX": ["10 mail.customer.example.", f"20 {NAME}."]},
        NAME: {"A": [OURS]},
        HOSTNAME: {"A": [OURS], "TXT": ['"v=spf1 a -all"']},
        POINTER: {"PTR": [f"{HOSTNAME}."]},
        f"_25._tcp.{NAME}": {"TLSA": [f"3 1 1 {pin}"]},
    }


def states(restante: Installation) -> dict[str, str]:
    rows: list[dict[str, Any]] = json.loads(restante.do("domain", "dns", DOMAIN, "--json"))[
        "records"
    ]
    return {row["purpose"]: row["state"] for row in rows}


def test_what_is_missing_is_told_until_it_is_published() -> None:
    needed = ("mx", "address", "reverse", "spf")
    with NameServer({}) as names, Installation(more=names.settings + NAMED) as restante:
        issued = trustme.CA().issue_cert(NAME)
        issued.cert_chain_pems[0].write_to_path(restante.directory / "tls/customer.pem")
        issued.private_key_pem.write_to_path(restante.directory / "tls/customer-key.pem")
        pin = key_pin(restante.directory / "tls/customer.pem")
        text = restante.config.read_text()
        restante.config.write_text(
            text.replace(f"{HOST}:{restante.mx_port}", f"{OURS}:{restante.mx_port}")
        )
        restante.start()
        restante.hosts(DOMAIN, "192.0.2.9:25")
        assert {states(restante)[one] for one in needed} == {"missing"}
        told = restante.do("domain", "dns", DOMAIN)
        assert f"_25._tcp.{NAME}. IN TLSA 3 1 1 {pin}" in told
        assert f"{DOMAIN}. IN MX 20 {NAME}." in told
        assert f"{POINTER}. IN PTR {HOSTNAME}." in told

        names.records = zone(pin)
        found = states(restante)
        assert {found[one] for one in (*needed, "tlsa")} == {"present"}
        assert "needed records: 4 present" in restante.do("domain", "dns", DOMAIN)

        names.failing = {DOMAIN, HOSTNAME, NAME, POINTER}
        assert {states(restante)[one] for one in ("mx", "spf")} == {"unknown"}
        restante.stop()
        names.failing = set()
        assert states(restante) == found, "without a server"
