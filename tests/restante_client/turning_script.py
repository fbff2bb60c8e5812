"""A provider that hands mail over after ATRN, from a script."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from tests.cli.answering import Script

CONTENT = b"Subject: one\r\n\r\n..leading dot\r\nlast\r\n"
BY_DATA = [
    (b"", 1),  # it says nothing before the customer's greeting
    (b"EHLO mx2.example.net\r\n", 3),
    (b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@acme.example>\r\nDATA\r\n", 3),
    (CONTENT.replace(b"\r\n.", b"\r\n..") + b".\r\n", 1),
    (b"QUIT\r\n", 1),
]


def by_bdat(*contents: bytes) -> list[tuple[bytes, int]]:
    """Return a session with all messages in one flight."""
    flight = b"".join(
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@acme.example>\r\nBDAT %d LAST\r\n%s"
        % (len(one), one)
        for one in contents
    )
    return [*BY_DATA[:2], (flight, 3 * len(contents)), BY_DATA[-1]]


@dataclass
class TurningScript(Script):
    """Its flights: octets to send, and the number of lines to read after them."""

    is_implicit: bool = False
    features: list[str] = field(default_factory=lambda: ["STARTTLS", "ATRN", "AUTH PLAIN CRAM-MD5"])
    replies: dict[str, str] = field(
        default_factory=lambda: {
            "STARTTLS": "220 go on",
            "AUTH PLAIN": "235 2.7.0 fine",
            "ATRN": "250 2.0.0 OK now reversing the connection",
        }
    )
    flights: list[tuple[bytes, int]] = field(default_factory=lambda: [*BY_DATA])
    got: list[bytes] = field(default_factory=list)
    saw_end: bool = False

    def turned(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        for octets, lines in self.flights:
            connection.sendall(octets)
            self.got += [stream.readline() for _ in range(lines)]
        if self.flights[-1][0] == b"QUIT\r\n":
            self.saw_end = stream.read() == b""
        stream.close()
