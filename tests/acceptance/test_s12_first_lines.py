"""S12: content with an odd first line reaches a stock Postfix whole, apart from our Received."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.postfix import PostfixPrimary

DOMAIN: Final = "odd.example"
FILLER: Final = b"filler " * 10 + b"\r\n"
CASES: Final = {
    "blank": (b" joins our field\r\nSubject: below\r\n\r\n", b"\n\n joins our field\n"),
    "tab": (
        b"\tby forged.example; now\r\nSubject: below\r\n\r\n",
        b"\n\n\tby forged.example; now\n",
    ),
    "mbox": (
        b"From a@b Sat Nov 28 00:00:00 2026\r\nSubject: kept\r\n\r\n",
        b"\nX-Mailbox-Line: From a@b ",
    ),
}


@pytest.fixture(scope="module")
def primary(restante: Installation) -> Iterator[PostfixPrimary]:
    with PostfixPrimary([DOMAIN]) as primary:
        primary.start()
        restante.hosts(DOMAIN, at(primary))
        yield primary


@pytest.mark.parametrize("size", [0, 400_000], ids=["in its row", "in a file"])
@pytest.mark.parametrize("case", CASES)
def test_an_odd_first_line_is_set_off(
    restante: Installation, primary: PostfixPrimary, case: str, size: int
) -> None:
    content, expected = CASES[case]
    before = len(primary.messages())
    with smtplib.SMTP(restante.mx.host, restante.mx.port, "sender.example") as sender:
        body = FILLER * (size // len(FILLER)) + b"the end\r\n"
        assert sender.sendmail("a@sender.example", [f"x@{DOMAIN}"], content + body) == {}
    restante.do("release", DOMAIN)
    arrived = next(
        one
        for one in primary.wait_for(before + 1)
        if content[:12].strip() in one and len(one) > size // 2
    )
    ours = arrived.index(b"by mx2.example.net")
    assert expected in arrived
    assert arrived.index(expected) > ours
    assert arrived.endswith(b"the end\n")


def test_plain_mail_of_a_client_that_says_smtputf8_reaches_a_primary_without_it(
    restante: Installation,
) -> None:
    with PostfixPrimary(["plain.example"], settings={"smtputf8_enable": "no"}) as primary:
        primary.start()
        restante.hosts("plain.example", at(primary))
        with smtplib.SMTP(restante.mx.host, restante.mx.port, "sender.example") as sender:
            sender.sendmail(
                "a@sender.example", ["x@plain.example"], b"Subject: x\r\n\r\nx\r\n", ["SMTPUTF8"]
            )
        restante.do("release", "plain.example")
        assert b"Subject: x" in primary.wait_for(1)[0]
