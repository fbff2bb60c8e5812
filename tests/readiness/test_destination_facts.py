"""Replies of a destination, as they are judged."""

import pytest

from restante.readiness.destination_facts import DestinationFacts, ProbeReply


@pytest.mark.parametrize(
    ("code", "asked", "positive", "permanent"),
    [(0, 0, 0, 0), (250, 1, 1, 0), (450, 1, 0, 0), (550, 1, 0, 1)],
)
def test_a_reply_has_one_meaning(code: int, asked: int, positive: int, permanent: int) -> None:
    reply = ProbeReply(code, "text")
    assert (reply.is_asked, reply.is_positive, reply.is_permanent) == (asked, positive, permanent)


def test_a_session_began_if_postmaster_was_asked_about() -> None:
    bare = DestinationFacts("mail.a.example:25", "a.example", 0.0)
    assert not bare.has_session
    asked = ProbeReply(550, "no")
    assert DestinationFacts("m:25", "a.example", 0.0, postmaster=asked).has_session
