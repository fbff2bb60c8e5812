"""A quota holds however many send at the same moment."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.session import Session

SESSIONS: Final = 30
OCTETS: Final = 20_000
FIT: Final = 10


def test_many_sessions_that_end_together_hold_no_more_than_there_is_room_for(restante: Installation) -> None:
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


def send_together(restante: Installation, path: str) -> list[str]:
    """Send a message over each of many sessions, all but its end, and then the ends; return the codes of the replies."""
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
