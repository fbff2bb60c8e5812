"""The records to publish for a domain, on the command line."""

import json

import pytest

from restante.admin import domain_dns
from restante.network.dns_records import DnsRecordSet
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have no address of its own, wherever the test runs."""
    monkeypatch.setattr(domain_dns, "source_address", lambda _target: None)


def test_it_shows_lines_to_copy_and_what_was_found(admin: AdminWorld, command: Command) -> None:
    admin.resolver.zone = {
        ("alpha.example", "MX"): DnsRecordSet(("10 mail.alpha.example", "20 mx2.example.net")),
        ("mx2.example.net", "TXT"): DnsRecordSet(("v=spf1 -all",)),
    }
    shown = command("domain", "dns", "alpha.example")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[:2] == [
        "present  mail exchanger",
        "         alpha.example. IN MX 20 mx2.example.net.",
    ]
    assert "         found: v=spf1 -all" in lines
    assert lines[-1] == "needed records: 1 present, 1 missing, 1 wrong"


def test_a_hostile_record_does_not_reach_the_terminal(admin: AdminWorld, command: Command) -> None:
    hostile = "v=spf1 -all \x1b[2J" + "x" * 300
    admin.resolver.zone["mx2.example.net", "TXT"] = DnsRecordSet((hostile,))
    shown = command("domain", "dns", "alpha.example").out
    assert "\x1b" not in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if "TLSRPT" not in line)


def test_json_has_everything(admin: AdminWorld, command: Command) -> None:
    view = json.loads(command("domain", "dns", "alpha.example", "--json").out)
    assert (view["domain"], view["host"]) == ("alpha.example", "mx2.example.net")
    [mx] = [row for row in view["records"] if row["purpose"] == "mx"]
    assert mx == {
        "purpose": "mx",
        "name": "alpha.example",
        "type": "MX",
        "value": "20 mx2.example.net.",
        "line": "alpha.example. IN MX 20 mx2.example.net.",
        "state": "missing",
        "is_optional": False,
        "found": [],
        "note": "",
    }


def test_an_unknown_domain_is_an_error(admin: AdminWorld, command: Command) -> None:
    refused = command("domain", "dns", "nobody.example")
    assert (refused.code != 0, "nobody.example" in refused.err) == (True, True)
