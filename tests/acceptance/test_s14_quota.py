"""A quota holds however many send at the same moment, and its account is told in time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from tests.acceptance.installation import HOST, Installation, at
from tests.acceptance.on_both_stores import ON_BOTH_STORES
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.session import Session
from tests.acceptance.webhook_receiver import Taken, WebhookReceiver

pytestmark = ON_BOTH_STORES

SESSIONS: Final = 30
OCTETS: Final = 20_000
FIT: Final = 10


def test_many_sessions_that_end_together_hold_no_more_than_there_is_room_for(
    restante: Installation,
) -> None:
    for domain, quota in (
        ("octets.example", ("--quota", str(FIT * (OCTETS + 1024)))),
        ("messages.example", ("--quota-messages", str(FIT))),
    ):
        restante.hosts(domain, "192.0.2.1", *quota, allow=[HOST])
        replies = send_together(restante, f"reader@{domain}")
        assert set(replies) == {"250", "452"}
        shown = restante.shown("domain", "show", domain)
        assert shown["messages"] == replies.count("250") == FIT
        assert shown["octets"] <= FIT * (OCTETS + 1024)


def test_a_quota_is_told_of_at_80_and_at_100_percent_each_once(restante: Installation) -> None:
    """By webhook, while the sender gets 452. When a real Postfix has fetched all, there is room."""
    domain = "filling.example"
    with WebhookReceiver() as receiver, PostfixPrimary([domain]) as primary:
        restante.hosts(domain, at(primary), "--quota-messages", "10")
        receiver.key = restante.do(
            *(
                "notice",
                "add",
                "hook",
                "--webhook",
                "-",
                "--account",
                "alpha",
                "--only",
                "quota-reached",
            ),
            typed=receiver.url,
        ).strip()
        for number in range(1, 13):
            assert send_one(restante, f"reader@{domain}") == ("250" if number <= 10 else "452")
        primary.start()
        restante.do("release", domain)
        primary.wait_for(10)
        eventually(lambda: restante.held(domain) == 0, what="an empty queue")
        assert send_one(restante, f"reader@{domain}") == "250"

        def told() -> list[Taken]:
            """Return those of this domain; the test before has one that is full too."""
            return [one for one in receiver.taken if domain in one.facts["about"]]

        eventually(lambda: len(told()) >= 2, what="two notices")
        notices = told()

    assert [notice.facts["about"] for notice in notices] == [
        f"domain {domain}, 80 %",
        f"domain {domain}, 100 %",
    ]
    assert [
        (notice.facts["account"], notice.facts["details"]["messages"]) for notice in notices
    ] == [
        ("alpha", 8),
        ("alpha", 10),
    ]


def send_one(restante: Installation, path: str) -> str:
    """Send a message. Return the code of the first negative reply, or of the last reply."""
    with Session(restante.mx) as session:
        for line in ("MAIL FROM:<>", f"RCPT TO:<{path}>", "DATA", "A plain line.\r\n."):
            code = session.say(line)[:3].decode()
            if code[0] not in "23":
                break
        return code


def send_together(restante: Installation, path: str) -> list[str]:
    """Send messages over many sessions, first all but their ends. Return the replies' codes."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Session(restante.mx)) for _ in range(SESSIONS)]
        for session in sessions:
            for line in ("MAIL FROM:<>", f"RCPT TO:<{path}>", "DATA"):
                assert session.say(line)[:1] in (b"2", b"3")
            session._socket.sendall(b"x" * 998 + b"\r\n")
            session._socket.sendall((b"x" * 998 + b"\r\n") * (OCTETS // 1000 - 1))
        for session in sessions:
            session._socket.sendall(b".\r\n")
        return [session._reply()[:3].decode() for session in sessions]
