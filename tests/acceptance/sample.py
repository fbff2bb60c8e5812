"""Messages to send, and finding them again in a mailbox."""

from __future__ import annotations

from typing import Final

from tests.acceptance.peers.mailbox import content_below
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import Ended
from tests.acceptance.peers.senders import swaks_sends
from tests.acceptance.peers.server import Server

REVERSE_PATH: Final = "someone@sender.example"
SENDER_DOMAIN: Final = REVERSE_PATH.partition("@")[2]
MARKER: Final = (
    b"X-Marker"  # the first field of each message: fields above it were added on the way
)
OCTETS: Final = bytes(octet for octet in range(1, 256) if octet not in b"\r\n")


def message(token: str, body: bytes = b"A plain line.\r\n") -> bytes:
    """Return a message that is like no other with another token."""
    header = f"From: <{REVERSE_PATH}>\r\nSubject: {token}\r\n\t and folded \r\n\r\n"
    return MARKER + f": {token}\r\n{header}".encode() + body


DIFFICULT: Final = [
    message("dots", b".\r\n..\r\n.begins with a dot\r\n...\r\n\r\n.\r\n"),
    message("octets", OCTETS + b"\r\n" + "Größe, 8 bit, no charset named\r\n".encode()),
    message(
        "long lines", b"x" * 997 + b"\r\n" + b"." * 990 + b"\r\n" + b"From the last line \t\r\n"
    ),
    message("no body", b""),
    message("empty lines", b"\r\n\r\n\r\n"),
    message(
        "large", b"".join(b".line %07d of a large message\r\n" % number for number in range(50_000))
    ),  # spooled
]


def send(server: Server, *forward_paths: str, content: bytes) -> Ended:
    """Send one message with swaks, which must be taken."""
    sent = swaks_sends(
        server, reverse_path=REVERSE_PATH, forward_paths=forward_paths, content=content
    )
    assert sent.returncode == 0, sent.stdout[-4000:]
    return sent


def arrived(primary: Primary) -> list[bytes]:
    """Return such messages of a primary's mailbox, as they were sent, oldest first."""
    return [content_below(raw, MARKER) for raw in primary.messages() if MARKER in raw]
