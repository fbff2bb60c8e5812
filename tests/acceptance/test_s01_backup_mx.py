"""S1: a secondary MX accepts mail from any host for hosted domains only; 250 means on disk."""

from __future__ import annotations

import re
import smtplib
import threading
from typing import Final

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.senders import smtp_source_sends, swaks_sends
from tests.acceptance.peers.server import Server
from tests.acceptance.sample import DIFFICULT, REVERSE_PATH, arrived, message, send

NO_RECIPIENT_TAKEN: Final = 24  # exit code of swaks
RELAYING_DENIED: Final = "550 5.7.1"
MANY: Final = 300
SENDERS: Final = 4

AWAY: Final = "127.0.0.1:9"  # a primary that is off


def test_mail_is_taken_for_hosted_domains_and_for_no_others(restante: Installation) -> None:
    """Case does not matter. A subdomain, or a domain with the same ending, is not hosted."""
    restante.hosts("alpha.example", AWAY)
    others = ["someone@elsewhere.example", "reader@sub.alpha.example", "reader@not-alpha.example"]
    for path in ("reader@alpha.example", "Other@ALPHA.example"):
        send(restante.mx, path, content=message(path))
    refused = swaks_sends(
        restante.mx, reverse_path="", forward_paths=others, content=message("for others")
    )
    mixed = swaks_sends(
        restante.mx,
        reverse_path="",
        forward_paths=[*others, "last@alpha.example"],
        content=message("mixed"),
    )

    assert refused.returncode == NO_RECIPIENT_TAKEN
    assert (
        refused.stdout.count(RELAYING_DENIED) == mixed.stdout.count(RELAYING_DENIED) == len(others)
    )
    queue = restante.shown("queue", "list", "alpha.example")
    assert [[recipient["forward_path"] for recipient in held["recipients"]] for held in queue] == [
        ["reader@alpha.example"],
        ["Other@ALPHA.example"],
        ["last@alpha.example"],
    ]


def test_everything_taken_survives_a_kill_octet_for_octet(restante: Installation) -> None:
    """Killed right after its last 250, the server has every message when it is back."""
    with PostfixPrimary(["beta.example"]) as primary:  # off
        restante.hosts("beta.example", at(primary))
        for content in DIFFICULT:
            send(restante.mx, "reader@beta.example", content=content)
        assert send_many(restante.mx, "reader@beta.example") == 0
        restante.kill()

        restante.start()
        assert restante.held("beta.example") == len(DIFFICULT) + MANY
        primary.start()
        restante.do("release", "beta.example")
        primary.wait_for(len(DIFFICULT) + MANY)
        assert sorted(arrived(primary)) == sorted(DIFFICULT)


def send_many(server: Server, forward_path: str) -> int:
    """Be twenty hosts at a time."""
    return smtp_source_sends(
        server,
        reverse_path=REVERSE_PATH,
        forward_path=forward_path,
        count=MANY,
        sessions=20,
        size=2000,
    ).returncode


def test_acknowledged_mail_survives_a_kill_under_load(restante: Installation) -> None:
    """The 250 names the message: the queue later has every name that a sender got."""
    restante.hosts("gamma.example", AWAY)
    told: list[str] = []
    senders = [
        threading.Thread(target=send_until_it_breaks, args=(restante.mx, told))
        for _ in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    eventually(lambda: len(told) >= MANY, what=f"{MANY} messages to be taken")
    restante.kill()
    for sender in senders:
        sender.join()

    restante.start()
    held = {
        message["name"]
        for message in restante.shown("queue", "list", "gamma.example", "--limit", "100000")
    }
    assert held >= set(told)
    assert (
        len(held) <= len(told) + SENDERS
    )  # a message may be durable whose 250 did not get through any more


def send_until_it_breaks(server: Server, told: list[str]) -> None:
    """Be a sender that takes note of the names it is told."""
    try:
        with smtplib.SMTP(server.host, server.port, timeout=90) as client:
            client.ehlo("sender.example")
            while True:
                client.mail(REVERSE_PATH)
                client.rcpt("reader@gamma.example")
                _, reply = client.data(message("load"))
                told += re.findall("held as (.+)", reply.decode())
    except (smtplib.SMTPException, OSError):
        pass
