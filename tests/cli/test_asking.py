"""`restante etrn` at servers that refuse a mechanism, or repeat what they were sent."""

from __future__ import annotations

import pytest

from tests.cli.answering import Script
from tests.cli.test_etrn import SECRET, USER, Asks, asks, authority, context, script

__all__ = ["asks", "authority", "context", "script"]  # fixtures


@pytest.mark.parametrize("refusal", ["504 5.5.4 unknown mechanism", "534 5.7.9 too weak"])
def test_a_refused_mechanism_is_followed_by_the_next(
    script: Script, asks: Asks, refusal: str
) -> None:
    script.features = ["ETRN", "AUTH PLAIN LOGIN"]
    script.replies |= {
        "AUTH PLAIN": refusal,
        "AUTH LOGIN": "334 VXNlcm5hbWU6",
        USER.upper(): "334 eA==",
        SECRET.upper(): "235 2.7.0 fine",
    }
    assert asks(script, "alpha.example").code == 0


@pytest.mark.parametrize("reply", ["535 5.7.8 what is {}?", "no reply: {}", "421 bye {}"])
def test_a_reply_that_repeats_the_password_is_not_shown(
    script: Script, asks: Asks, reply: str
) -> None:
    script.features = ["ETRN", "AUTH LOGIN"]
    script.replies |= {
        "AUTH LOGIN": "334 VXNlcm5hbWU6",
        USER.upper(): "334 eA==",
        SECRET.upper(): reply.format(SECRET.lower()),
    }
    outcome = asks(script, "alpha.example")
    assert outcome.code != 0
    assert SECRET.lower() not in outcome.err.lower()


@pytest.mark.parametrize("reply", ["nonsense", "354 go on", "199 well"])
def test_an_odd_reply_to_etrn_is_no_success(script: Script, asks: Asks, reply: str) -> None:
    script.replies |= {"AUTH": "235 fine", "ETRN": reply}
    outcome = asks(script, "alpha.example")
    assert outcome.code == 69
