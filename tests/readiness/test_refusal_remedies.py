"""Replies of stock servers, and what to do about them."""

import pytest

from restante.readiness.refusal_remedies import refusal_remedy


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            "450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.2]",
            "PTR",
        ),
        ("450 4.7.1 Client host rejected: cannot find your reverse hostname", "PTR"),
        ("504 5.5.2 <mx2>: Helo command rejected: need fully-qualified hostname", "EHLO"),
        (
            "554 5.7.1 Service unavailable; Client host [203.0.113.2] blocked using zen.example",
            "blocklist",
        ),
        ("451 4.7.1 Greylisting in action, please come back later", "greylisting"),
        ("450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted", "greylisting"),
        ("554 5.7.1 <a@b.example>: Relay access denied", "takes mail for"),
        ("550 relay not permitted", "takes mail for"),
        ("421 4.7.0 Error: too many connections from 203.0.113.2", "limits"),
        ("450 4.7.1 Error: too much mail from 203.0.113.2", "limits"),
        ("550 5.7.23 SPF validation failed", "original client"),
        ("530 5.7.0 Authentication required", "login"),
        ("450 4.3.2 Service currently unavailable", "postscreen"),
        ("550 5.1.1 <postmaster@b.example>: User unknown", "postmaster"),
        ("550 no", "log of the destination"),
    ],
)
def test_a_reply_has_its_remedy(reply: str, words: str) -> None:
    assert words in refusal_remedy(reply)
