"""S12 at speed: stock Postfix and Exim get messages ahead of their replies, and each is right."""

from __future__ import annotations

import re
import smtplib
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import message

COUNT: Final = 240
REFUSED_EVERY: Final = 12  # well apart: both servers put up with few refusals in a row


def hand_in(restante: Installation, domain: str) -> None:
    """Send messages, each with a reverse-path of its own; each twelfth is to nobody."""
    with smtplib.SMTP(restante.mx.host, restante.mx.port, "sender.example") as sender:
        for number in range(COUNT):
            refused = number % REFUSED_EVERY == 0
            forward_path = f"{'nobody' if refused else 'reader'}@{domain}"
            sender.sendmail(
                f"from-{number}@sender.example", [forward_path], message(f"number-{number}")
            )


def origins(primary: Primary) -> list[tuple[int, int]]:
    """Return the number in the reverse-path and in the content of each message that arrived."""
    return [
        (_number(rb"^Return-path: <from-(\d+)@", raw), _number(rb"^X-Marker: number-(\d+)", raw))
        for raw in primary.messages()
    ]


def _number(pattern: bytes, raw: bytes) -> int:
    match = re.search(pattern, raw, re.MULTILINE | re.IGNORECASE)
    assert match is not None, raw
    return int(match[1])


@pytest.mark.parametrize("kind", [PostfixPrimary, EximPrimary])
def test_each_message_arrives_once_and_under_its_own_reverse_path(
    restante: Installation, kind: type[Primary]
) -> None:
    """Between refused messages: Exim keeps a refused transaction open, which nothing may join."""
    domain = f"ahead.{kind.__name__.lower()}.example"
    with kind(
        [domain], rejects={f"nobody@{domain}": "550 5.1.1 no mailbox of that name"}
    ) as primary:
        restante.hosts(domain, at(primary))
        hand_in(restante, domain)
        primary.start()
        restante.do("release", domain)
        eventually(
            lambda: restante.events("drain-finished", domain=domain) != [],
            what="the drain to end",
        )
        wanted = [number for number in range(COUNT) if number % REFUSED_EVERY]
        primary.wait_for(len(wanted))
        came = sorted(origins(primary))

    assert came == [(number, number) for number in wanted]
    parked = restante.shown("queue", "list", domain, "--status", "refused")
    assert len(parked) == COUNT - len(wanted)
    attempts = restante.events("delivery-attempt", domain=domain)
    took_mail = [one for one in attempts if one["delivered"] or one["refused"]]  # one may be late
    assert {(attempt["manner"], attempt["end"]) for attempt in took_mail} == {("ahead", "quit")}
