"""Content filters: real ones examine mail before it is held, and none of them costs mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.rspamd import RspamdMilter
from tests.acceptance.session import Session

NOBODY: Final = "127.0.0.1:9"
# The pattern of https://spamassassin.apache.org/gtube, in two parts: this is no spam.
GTUBE: Final = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-" + "UBE-TEST-EMAIL*C.34X"
CLIENT: Final = "198.51.100.20"  # rspamd spares loopback
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


def bring(restante: Installation, text: str, *domains: str) -> str:
    """Bring a message for these domains; return the last reply."""
    with Session(restante.mx, source=CLIENT, hello="out.sender.example") as session:
        for line in ("MAIL FROM:<a@sender.example>", *(f"RCPT TO:<x@{one}>" for one in domains)):
            assert session.say(line).startswith(b"250")
        assert session.say("DATA").startswith(b"354")
        header = (
            "From: <a@sender.example>\r\nTo: <x@mark.example>\r\nSubject: x\r\n"
            "Date: Mon, 30 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
        )
        return session.say(f"{header}\r\n{text}\r\n.").decode().strip()


def verdicts(restante: Installation, domain: str) -> list[tuple[bool, str]]:
    """Return of each held message whether it is suspect, and the verdict of rspamd."""
    shown = restante.shown("queue", "list", domain)
    facts = [restante.shown("queue", "show", one["name"]) for one in shown]
    return [(one["is_suspect"], one["origin"]["verdicts"].get("rspamd", "")) for one in facts]


def test_rspamd_judges_mail_before_it_is_held_and_costs_none_while_it_is_away(
    restante: Installation, rspamd: RspamdMilter
) -> None:
    for _ in range(3):
        assert bring(restante, "text", "defer.example").startswith("250")
    assert verdicts(restante, "defer.example") == [(False, "not examined")] * 3
    away = restante.wait_for_event("filter-away")
    assert (away["check"], away["reason"]) == ("rspamd", "Connection refused")
    text = restante.config.read_text()
    restante.config.write_text(text.replace(NOBODY, f"127.0.0.1:{rspamd.http_port}"))
    restante.reload()
    assert bring(restante, "text", "mark.example").startswith("250")
    [(is_suspect, verdict)] = verdicts(restante, "mark.example")
    assert not is_suspect
    assert "; no action, " in verdict
    assert "HFILTER_HOSTNAME_UNKNOWN" not in verdict  # it was told the client's name
    assert bring(restante, GTUBE, "defer.example") == REFUSED
    assert bring(restante, GTUBE, *DOMAINS).startswith("250")
    found = {domain: verdicts(restante, domain)[-1] for domain in DOMAINS}
    assert found["off.example"] == (False, "")
    for domain in ("mark.example", "defer.example"):
        is_suspect, verdict = found[domain]
        assert is_suspect
        assert verdict.startswith("suspect; score 15; reject, GTUBE")
    key = found["mark.example"][1].rpartition(" ")[2]
    eventually(lambda: f"qid: <{key}>" in rspamd.log(), what="the key in the log of rspamd")
    [refused] = restante.events("mail-refused")
    assert refused["reason"].startswith("check rspamd: score 15: reject, GTUBE")
