"""Content filters: real ones examine mail before it is held, and none of them costs mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.opendkim import OpenDkim
from tests.acceptance.peers.rspamd import RspamdMilter
from tests.acceptance.session import Session

NOBODY: Final = "127.0.0.1:9"
# The pattern of https://spamassassin.apache.org/gtube, in two parts: this is no spam.
GTUBE: Final = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-" + "UBE-TEST-EMAIL*C.34X"
CLIENT: Final = "198.51.100.20"  # rspamd spares loopback
PEER: Final = "198.51.100.30"
MILTER: Final = """
[[hygiene.milters]]
name = "opendkim"
address = "unix:{socket}"
"""
REFUSED: Final = "451 4.7.1 Not now: the content filter does not want this message"
DOMAINS: Final = ("off.example", "mark.example", "defer.example")


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS of all."""
    records = {
        f"{'.'.join(reversed(CLIENT.split('.')))}.in-addr.arpa": {"PTR": ["out.sender.example."]},
        "out.sender.example": {"A": [CLIENT]},
    }
    with NameServer(records) as names:
        yield names


@pytest.fixture(scope="module")
def rspamd(names: NameServer) -> Iterator[RspamdMilter]:
    """rspamd with the configuration of Debian."""
    with RspamdMilter(names.port, {}) as rspamd:
        yield rspamd


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation with a domain for each policy. Its filter is not there."""
    filters = f'[hygiene.rspamd]\nurl = "http://{NOBODY}"\n'
    with Installation(more=names.settings + filters) as restante:
        restante.start()
        for domain in DOMAINS:
            restante.hosts(domain, NOBODY, "--hygiene", domain.removesuffix(".example"))
        yield restante


def bring(restante: Installation, text: str, *domains: str, client: str = CLIENT) -> str:
    """Bring a message for these domains; return the last reply."""
    with Session(restante.mx, source=client, hello="out.sender.example") as session:
        for line in ("MAIL FROM:<a@sender.example>", *(f"RCPT TO:<x@{one}>" for one in domains)):
            assert session.say(line).startswith(b"250")
        assert session.say("DATA").startswith(b"354")
        header = (
            "From: <a@sender.example>\r\nTo: <x@mark.example>\r\nSubject: x\r\n"
            "Date: Mon, 30 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
        )
        return session.say(f"{header}\r\n{text}\r\n.").decode().strip()


def verdict_on_newest(
    restante: Installation, domain: str, check: str = "rspamd"
) -> tuple[bool, str]:
    """Return whether the newest message is suspect, and the verdict of a check."""
    newest = restante.shown("queue", "list", domain)[-1]["name"]
    facts = restante.shown("queue", "show", newest)
    return facts["is_suspect"], facts["origin"]["verdicts"].get(check, "")


def test_rspamd_judges_mail_before_it_is_held_and_costs_none_while_it_is_away(
    restante: Installation, rspamd: RspamdMilter
) -> None:
    for _ in range(3):
        assert bring(restante, "text", "defer.example").startswith("250")
    assert verdict_on_newest(restante, "defer.example") == (False, "not examined")
    away = restante.wait_for_event("filter-away")
    assert (away["check"], away["reason"]) == ("rspamd", "Connection refused")
    text = restante.config.read_text()
    restante.config.write_text(text.replace(NOBODY, f"127.0.0.1:{rspamd.http_port}"))
    restante.reload()
    assert bring(restante, "text", "mark.example").startswith("250")
    is_suspect, verdict = verdict_on_newest(restante, "mark.example")
    assert not is_suspect
    assert "; no action, " in verdict
    assert "HFILTER_HOSTNAME_UNKNOWN" not in verdict  # it was told the client's name
    assert bring(restante, GTUBE, "defer.example") == REFUSED
    assert bring(restante, GTUBE, *DOMAINS).startswith("250")
    found = {domain: verdict_on_newest(restante, domain) for domain in DOMAINS}
    assert found["off.example"] == (False, "")
    for domain in ("mark.example", "defer.example"):
        is_suspect, verdict = found[domain]
        assert is_suspect
        assert verdict.startswith("suspect; score 15; reject, GTUBE")
    key = found["mark.example"][1].rpartition(" ")[2]
    eventually(lambda: f"qid: <{key}>" in rspamd.log(), what="the key in the log of rspamd")
    [refused] = restante.events("mail-refused")
    assert refused["reason"].startswith("check rspamd: score 15: reject, GTUBE")


def test_a_milter_judges_mail_and_costs_none_once_it_is_gone(restante: Installation) -> None:
    text = re.sub('url = "http[^"]*"', 'url = ""', restante.config.read_text())  # without rspamd
    with OpenDkim([PEER]) as opendkim:
        restante.config.write_text(text + MILTER.format(socket=opendkim.socket))
        restante.reload()
        assert bring(restante, "text", "defer.example") == REFUSED
        assert bring(restante, "text", *DOMAINS).startswith("250")
        found = {domain: verdict_on_newest(restante, domain, "opendkim") for domain in DOMAINS}
        assert found["off.example"] == (False, "")
        for domain in ("mark.example", "defer.example"):
            is_suspect, verdict = found[domain]
            assert is_suspect
            assert verdict.startswith("suspect; 550 5.7.0 no DKIM signature data, queue id ")
        assert bring(restante, "text", "defer.example", client=PEER).startswith("250")
        is_suspect, verdict = verdict_on_newest(restante, "defer.example", "opendkim")
        assert not is_suspect
        assert verdict.startswith("accept, queue id ")  # it was told the client's address
    assert bring(restante, "text", "defer.example").startswith("250")
    assert verdict_on_newest(restante, "defer.example", "opendkim") == (False, "not examined")
