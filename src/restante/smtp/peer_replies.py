"""Replies that a server sends us (RFC 5321 §4.2, RFC 2034), read from bytes as they come.

Strict about one thing above all: a reply line ends with CRLF and nothing else. A server that repeats a stranger's text
with a bare LF in it would else make one reply look like two, and the second could pass for the 250 of a message that
it never took. What is no reply raises PeerBroke, and so does one without end; the session is void then.
"""

import re
from typing import Final, NamedTuple

from restante.smtp.errors import PeerBroke

MAX_LINE: Final = 2048  # octets without CRLF; RFC 5321 §4.5.3.1.5 asks for 512, servers with long texts exceed it
MAX_LINES: Final = 128  # of one reply
_MAX_TEXT: Final = 1000  # characters of a reply that are kept for people

# Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
# Reply-code = %x32-35 %x30-35 %x30-39; a middle digit above 5 occurs, and harms nobody
_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*+))?\r\n")
# status-code = class "." subject "." detail (RFC 3463 §2)
_ENHANCED: Final = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |\Z)")


class ServerReply(NamedTuple):
    """One reply, with the text of its lines as sent."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def is_positive(self) -> bool:
        """Completion or intermediate: we may go on."""
        return self.code < 400  # noqa: PLR2004  RFC 5321 §4.2.1: 2yz and 3yz are positive

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 2034), "" without one."""
        match = _ENHANCED.match(self.lines[0])
        return match[0].decode("ascii") if match else ""

    @property
    def text(self) -> str:
        """The whole reply in one line, safe to show: a server's words may hold anything."""
        words = b" ".join(line for line in self.lines if line).decode("utf-8", "replace")[:_MAX_TEXT]
        return f"{self.code} {_printable(words)}".rstrip()


class ReplyReader:
    """Finds replies in a stream of bytes, wherever it is cut."""

    __slots__ = ("_buffer", "_code", "_lines", "_position")

    def __init__(self) -> None:
        self._buffer = b""
        self._position = 0  # what is before it has been read
        self._lines: list[bytes] = []  # of a reply that is not complete
        self._code = 0

    def receive(self, data: bytes) -> None:
        """Take bytes. Call `next_reply` until it returns None after this."""
        self._buffer = self._buffer[self._position :] + data
        self._position = 0

    def next_reply(self) -> ServerReply | None:
        """Return the next complete reply, None if more bytes are needed. Raises PeerBroke."""
        while (match := _LINE.match(self._buffer, self._position)) is not None:
            if match.end() - self._position > MAX_LINE + 2:
                raise PeerBroke(f"no SMTP reply: {_excerpt(match[0])}")
            self._position = match.end()
            code, mark, text = match.groups()
            if mark == b"-" or self._lines:
                reply = self._take_line_of_many(int(code), text or b"", is_last=mark != b"-")
                if reply is None:
                    continue
                return reply
            return ServerReply(int(code), (text or b"",))
        self._check_rest()
        return None

    @property
    def has_surplus(self) -> bool:
        """Whether there are bytes beyond the last reply given out."""
        return self._position < len(self._buffer) or bool(self._lines)

    def _take_line_of_many(self, code: int, text: bytes, *, is_last: bool) -> ServerReply | None:
        if self._lines and code != self._code:
            raise PeerBroke(f"a reply of several lines changes from {self._code} to {code}")
        if len(self._lines) == MAX_LINES:
            raise PeerBroke(f"a reply of more than {MAX_LINES} lines")
        self._code = code
        self._lines.append(text)
        if not is_last:
            return None
        lines, self._lines = tuple(self._lines), []
        return ServerReply(code, lines)

    def _check_rest(self) -> None:
        """Refuse what is not the beginning of a line, or is one without end."""
        rest = self._buffer[self._position :]
        if len(rest) > MAX_LINE + 1 or b"\n" in rest or b"\r" in rest[:-1]:  # a CR may wait for its LF
            raise PeerBroke(f"no SMTP reply: {_excerpt(rest)}")


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def _excerpt(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace"))
