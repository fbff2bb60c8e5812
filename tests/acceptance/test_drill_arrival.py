"""The header of a drill's message tells which client a real Postfix and rspamd have judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.installation import HOSTNAME, Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.rspamd import RspamdMilter

CLIENT: Final = "198.51.100.11"
PRIMARY: Final = "203.0.113.1"  # on one machine, a connection to this address comes from it too
TOLD: Final = "192.0.2.1"  # another primary, whose rspamd has the lines for it
WRITES: Final = 'use = ["authentication-results"];\nskip_local = false;\n'


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS of all: this server has an SPF record."""
    with NameServer({HOSTNAME: {"TXT": ['"v=spf1 ip4:192.0.2.77 -all"']}}) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation."""
    with Installation(more=names.settings) as restante:
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def milter(names: NameServer, restante: Installation) -> Iterator[RspamdMilter]:
    """rspamd writes its results, and has the lines for one backup as printed."""
    restante.hosts("told.example", f"{TOLD}:25")
    words = ("domain", "snippet", "told.example", "--for", "rspamd", "--json")
    parts = json.loads(restante.do(*words))["parts"]
    local = {Path(part["place"]).name: part["text"] for part in parts}
    with RspamdMilter(names.port, {"milter_headers.conf": WRITES, **local}) as milter:
        yield milter


def drilled(
    restante: Installation, primary: PostfixPrimary, domain: str, *options: str
) -> dict[str, Any]:
    """Drill a domain; return the result of its header."""
    before = len(primary.messages())
    restante.do("drill", domain, "--despite-check", *options)
    eventually(lambda: len(primary.messages()) > before, what="the message arrives")
    file = restante.directory / "arrived"
    file.write_bytes(primary.messages()[-1])
    ended = restante.run("drill", domain, "--arrived", str(file), "--json")
    found: dict[str, Any] = json.loads(ended.stdout)
    assert ended.returncode == (2 if found["verdict"] == "warn" else 0), ended.stderr
    return found


def row(restante: Installation, domain: str) -> tuple[str, str]:
    """Return verdict and evidence about the filters in the check of a domain."""
    shown = json.loads(restante.run("domain", "check", domain, "--json").stdout)
    [found] = [one for one in shown["rows"] if one["check"] == "filters"]
    return found["verdict"], found["evidence"]


def test_a_primary_that_is_not_told_judges_this_server_and_one_that_is_told_the_client(
    restante: Installation, milter: RspamdMilter
) -> None:
    domain = "plain.example"
    settings = milter.settings | {"smtpd_authorized_xclient_hosts": PRIMARY}
    with PostfixPrimary([domain], address=PRIMARY, settings=settings) as primary:
        primary.start()
        restante.hosts(domain, at(primary))
        assert row(restante, domain)[0] == "unknown"
        found = drilled(restante, primary, domain, "--client", CLIENT)
        assert (found["trust"], found["verdict"]) == ("us", "warn")
        assert (found["client"], found["judged"]) == (CLIENT, [PRIMARY])
        assert row(restante, domain)[0] == "warn"

        restante.do("domain", "set", domain, "--client-address", "xclient")
        found = drilled(restante, primary, domain, "--client", CLIENT)
        assert (found["trust"], found["judged"]) == ("client", [CLIENT])
        assert found["server_client"] == CLIENT
        assert row(restante, domain)[0] == "pass"

        found = drilled(restante, primary, domain)  # from loopback, which is not passed on
        assert (found["trust"], found["judged"]) == ("alike", [PRIMARY])


def test_with_the_printed_lines_rspamd_names_the_client(
    restante: Installation, milter: RspamdMilter
) -> None:
    domain = "told.example"
    with PostfixPrimary([domain], address=TOLD, settings=milter.settings) as primary:
        primary.start()
        restante.do("domain", "set", domain, "--destination", at(primary))
        found = drilled(restante, primary, domain, "--client", CLIENT)
        assert (found["trust"], found["judged"]) == ("client", [CLIENT])
        assert found["server_client"] == TOLD
