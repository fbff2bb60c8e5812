"""`restante domain check`: rows that fit a terminal, JSON, and exit codes."""

import json

from restante.network.dns_records import DnsRecordSet
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

OWN = "mx2.example.net"


def zone(spf: str) -> dict[tuple[str, str], DnsRecordSet]:
    return {
        ("alpha.example", "MX"): DnsRecordSet((f"20 {OWN}", "10 mail.alpha.example"), 300),
        ("alpha.example", "TXT"): DnsRecordSet((spf,), 300),
        ("mail.alpha.example", "A"): DnsRecordSet(("192.0.2.9",), 300),
        (OWN, "A"): DnsRecordSet(("192.0.2.1", "127.0.0.1"), 300),
        (OWN, "TXT"): DnsRecordSet(("v=spf1 a -all",), 300),
        ("1.2.0.192.in-addr.arpa", "PTR"): DnsRecordSet((OWN,), 300),
        ("1.0.0.127.in-addr.arpa", "PTR"): DnsRecordSet((OWN,), 300),
        ("_dmarc.alpha.example", "TXT"): DnsRecordSet(("v=DMARC1; p=reject",), 300),
    }


def test_rows_have_evidence_remedy_and_lines_to_copy(admin: AdminWorld, command: Command) -> None:
    admin.resolver.zone = zone("v=spf1 mx -all")
    shown = command("domain", "check", "alpha.example")
    assert shown.code == 2
    assert "FAIL     SPF of the domain" in shown.out
    assert "→ name the primary's addresses" in shown.out
    assert '           alpha.example.  IN TXT "v=spf1 ip4:192.0.2.9 -all"' in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    assert "FAIL, " in shown.out.splitlines()[-1]


def test_a_remembered_look_shows_its_age(admin: AdminWorld, command: Command) -> None:
    admin.resolver.zone = zone("v=spf1 -all")
    command("domain", "check", "alpha.example")
    view = json.loads(command("domain", "check", "alpha.example", "--json").out)
    assert view["destination_seen_at"] is not None
    assert view["destination_again_at"] > view["destination_seen_at"]


def test_json_has_every_row(admin: AdminWorld, command: Command) -> None:
    admin.resolver.zone = zone("v=spf1 -all")
    shown = command("domain", "check", "alpha.example", "--json")
    rows = {row["check"]: row for row in json.loads(shown.out)["rows"]}
    assert rows["domain-spf"]["verdict"] == "pass"
    assert set(rows["mx"]) == {"check", "title", "verdict", "evidence", "remedy", "snippet"}


def test_an_unknown_domain_is_an_error(admin: AdminWorld, command: Command) -> None:
    shown = command("domain", "check", "gone.example")
    assert shown.code not in (0, 2)
    assert "is not hosted here" in shown.err
