"""With rspamd behind Postfix, mail through us gets the verdict that it gets when sent directly."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.acceptance.installation import Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.rspamd import RspamdMilter
from tests.acceptance.peers.server import Server
from tests.acceptance.session import Session
from tests.acceptance.test_client_address import KINDS, MANNERS

GOOD, LISTED, OUTSIDE, NAMELESS = (f"198.51.100.{host}" for host in (11, 66, 20, 30))
KEY: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
# On one machine, a connection to this address comes from it too. rspamd trusts loopback.
PRIMARY: Final = "203.0.113.1"
TOLD: Final = "192.0.2.1"  # another primary, whose rspamd has the lines for it
PUBLIC: Final = base64.b64encode(
    KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
BLOCKLIST: Final = """
rbls {
    lab { symbol = "LAB_DNSBL"; rbl = "bl.lab.example"; checks = ["from"]; ipv4 = true;
          returncodes { LAB_LISTED = "127.0.0.2"; } }
}
"""
SCORES: Final = 'symbols { "LAB_LISTED" { weight = 8.0; } }\n'
REJECTS: Final = 'actions { reject = "reject"; }\n'


@dataclass(frozen=True)
class Case:
    """A message, and the client that brings it."""

    client: str
    hello: str
    reverse_path: str
    author: str
    is_signed: bool = False


CASES: Final = {
    "dkim": Case(GOOD, "out.signed.example", "a@signed.example", "a@signed.example", True),
    "spfonly": Case(GOOD, "out.spfonly.example", "a@spfonly.example", "a@spfonly.example"),
    "forged": Case(LISTED, "bad.example", "a@spfonly.example", "a@spfonly.example"),
    "listed": Case(LISTED, "bad.example", "a@honest.example", "a@honest.example"),
    "spoofown": Case(OUTSIDE, "out.example", "boss@{domain}", "boss@{domain}"),
    "noptr": Case(NAMELESS, "nohost", "a@plain.example", "a@plain.example"),
    "bounce": Case(GOOD, "out.signed.example", "", "mailer-daemon@signed.example", True),
}


def zone(domains: list[str]) -> dict[str, dict[str, list[str]]]:
    """Return the records. The customers' SPF has us, by their MX."""
    reject = {"TXT": ['"v=DMARC1; p=reject"']}
    records: dict[str, dict[str, list[str]]] = {
        "signed.example": {
            "TXT": [f'"v=spf1 ip4:{GOOD} -all"'],
            "A": [GOOD],
            "MX": ["1 mx.signed.example."],
        },
        "mx.signed.example": {"A": [GOOD]},
        "out.signed.example": {"A": [GOOD], "TXT": ['"v=spf1 a -all"']},
        "s._domainkey.signed.example": {"TXT": [_quoted(f"v=DKIM1; k=rsa; p={PUBLIC}")]},
        "_dmarc.signed.example": reject,
        "spfonly.example": {"TXT": [f'"v=spf1 ip4:{GOOD} -all"'], "A": [GOOD]},
        "_dmarc.spfonly.example": reject,
        "honest.example": {"TXT": [f'"v=spf1 ip4:{LISTED} -all"'], "A": [LISTED]},
        "plain.example": {"A": [NAMELESS]},
        f"{'.'.join(reversed(LISTED.split('.')))}.bl.lab.example": {"A": ["127.0.0.2"]},
    }
    for domain in domains:
        address = TOLD if domain.startswith("told.") else PRIMARY
        records |= {
            domain: {"TXT": ['"v=spf1 mx -all"'], "MX": [f"1 mx.{domain}."], "A": [address]},
            f"mx.{domain}": {"A": [address]},  # from which we hand over
            f"_dmarc.{domain}": reject,
        }
    return records


def _quoted(text: str) -> str:
    return " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))


def content(name: str, case: Case, domain: str) -> str:
    """Return the message of a case."""
    author = case.author.format(domain=domain)
    header = (
        f"From: <{author}>\r\nTo: <u@{domain}>\r\nSubject: report of {name}\r\n"
        "Date: Mon, 30 Nov 2026 09:00:00 +0000\r\n"
        f"Message-ID: <{name}.1@{author.split('@')[1]}>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
    )
    body = "Dear colleague,\r\n\r\nthe figures of this week are as expected.\r\n\r\nRegards\r\n"
    return (_signature(header, body) if case.is_signed else "") + f"{header}\r\n{body}"


def _signature(header: str, body: str) -> str:
    """Return a DKIM-Signature field (RFC 6376), of simple canonicalization."""
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    field = (
        "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=signed.example; s=s;"
        f" h=From:To:Subject:Date; bh={digest}; b="
    )
    lines = {line.split(":")[0]: line for line in header.splitlines(keepends=True)}
    signed = "".join(lines[name] for name in ("From", "To", "Subject", "Date")) + field
    made = KEY.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{field}{base64.b64encode(made).decode()}\r\n"


def bring(server: Server, case: Case, name: str, domain: str) -> str:
    """Bring the message of a case; return the last reply."""
    with Session(server, source=case.client, hello=case.hello) as session:
        reverse_path = case.reverse_path.format(domain=domain)
        for line in (f"MAIL FROM:<{reverse_path}>", f"RCPT TO:<u@{domain}>"):
            assert session.say(line).startswith(b"250")
        assert session.say("DATA").startswith(b"354")
        return session.say(content(name, case, domain) + ".").decode()


def verdicts(primary: PostfixPrimary, milter: RspamdMilter, domain: str) -> dict[str, str]:
    """Return rspamd's last action for each case of a domain, once all were judged."""

    def found() -> dict[str, str]:
        lines = [line for line in milter.log().splitlines() if f"u@{domain}" in line]
        judged = {}
        for line in lines:
            name, action = (
                re.search(r"id: <(\w+)\.1@", line),
                re.search(r"\(default: \w \(([^)]*)\)", line),
            )
            if name and action:
                judged[name[1]] = action[1]
        return judged

    return eventually(
        lambda: judged if (judged := found()).keys() == CASES.keys() else {},
        what=f"a verdict on each message ({found()})",
    )


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS of all."""
    with NameServer(
        zone(["direct.example", "none.example", "proxy.example", "xclient.example", "told.example"])
    ) as names:
        yield names


@pytest.fixture(scope="module")
def milter(names: NameServer, restante: Installation) -> Iterator[RspamdMilter]:
    """rspamd, with a blocklist and DMARC in force, and with the lines for one backup as printed.

    They concern connections from that address alone.
    """
    restante.hosts("told.example", f"{TOLD}:25")
    words = ("domain", "snippet", "told.example", "--for", "rspamd", "--json")
    parts = json.loads(restante.do(*words))["parts"]
    local = {
        "rbl.conf": BLOCKLIST,
        "groups.conf": "",
        "rbl_group.conf": SCORES,
        "dmarc.conf": REJECTS,
        **{Path(part["place"]).name: part["text"] for part in parts},
    }
    with RspamdMilter(names.port, local) as milter:
        yield milter


@pytest.fixture(scope="module")
def direct(milter: RspamdMilter) -> dict[str, str]:
    """The verdicts on mail that comes directly."""
    with PostfixPrimary(["direct.example"], address=PRIMARY, settings=milter.settings) as primary:
        primary.start()
        for name, case in CASES.items():
            bring(Server(primary.address, primary.port), case, name, "direct.example")
        return verdicts(primary, milter, "direct.example")


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation that looks no names up."""
    with Installation() as restante:
        restante.start()
        yield restante


@pytest.mark.parametrize("manner", ["none", "proxy", "xclient"])
def test_the_verdict_is_that_of_the_client_itself(
    restante: Installation, milter: RspamdMilter, direct: dict[str, str], manner: str
) -> None:
    domain = f"{manner}.example"
    settings = milter.settings | MANNERS.get(manner, {})
    if manner == "xclient":
        settings |= {"smtpd_authorized_xclient_hosts": PRIMARY}
    kind = KINDS.get(manner, PostfixPrimary)
    with kind([domain], address=PRIMARY, settings=settings) as primary:
        restante.hosts(domain, at(primary), "--client-address", manner)
        for name, case in CASES.items():
            assert bring(restante.mx, case, name, domain).startswith("250")
        primary.start()
        restante.do("release", domain)
        through = verdicts(primary, milter, domain)
    if manner == "none":  # good mail is refused, and a forgery of the customer's domain passes
        assert (direct["spfonly"] != "reject", through["spfonly"]) == (True, "reject")
        assert (direct["spoofown"], through["spoofown"] != "reject") == ("reject", True)
    else:
        assert through == direct


def test_with_its_lines_rspamd_judges_the_client_before_us(
    restante: Installation, milter: RspamdMilter, direct: dict[str, str]
) -> None:
    """As printed by `domain snippet`. Scores differ a little: no name of a client is looked up."""
    domain = "told.example"
    with PostfixPrimary([domain], address=TOLD, settings=milter.settings) as primary:
        restante.do("domain", "set", domain, "--destination", at(primary))
        for name, case in CASES.items():
            assert bring(restante.mx, case, name, domain).startswith("250")
        primary.start()
        restante.do("release", domain)
        told = verdicts(primary, milter, domain)
    assert _refused(told) == _refused(direct) == {"forged", "spoofown"}
    assert told["listed"] == direct["listed"] == "add header"


def _refused(verdicts: dict[str, str]) -> set[str]:
    return {name for name, action in verdicts.items() if action == "reject"}
