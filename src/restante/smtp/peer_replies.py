"""Replies that a server sends us (RFC 5321 §4.2, RFC 2034), read from bytes as they come.

Servers that take mail do not all spell their replies as the RFC does. If the code can be read, it
counts; sending the same mail again because of an odd reply would only make copies. So these are
read:

    250ok, 250<TAB>ok                    code 250
    empty lines before a reply           passed over
    a line without a code in a reply     text of that reply
    250-one, 251 two                     251: the last line's code, where the first digits agree
    a reply or a line too long           its text is cut; after MAX_REPLY octets the code counts,
                                         and the session is void

Only one kind of oddness would be dangerous. A server may repeat a stranger's text with a bare LF in
it, and make one reply look like two. The second could pass for the 250 of a message that was never
accepted. So a bare LF ends lines in two cases only. In the first, the greeting or the reply to EHLO
ended its lines so (`learns_line_end`). In the second, the owner of the reader counts replies to the
end of the connection (`asks_about_lf`). Otherwise a one-line reply that ends with a bare LF still
counts, because its code is known. It voids the session: nothing after it can be trusted.

PeerBroke is raised for anything without a code and for a reply of several lines whose codes differ
in the first digit. ReplyEndLost is raised when a void session is read on.
"""

import re
from typing import Final, NamedTuple

from restante.mail.reply_status import ENHANCED_CODE, ReplyStatus
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost
from restante.smtp.told_secrets import ToldSecrets

MAX_LINE: Final = (
    2048  # octets of a line that are kept; RFC 5321 §4.5.3.1.5 asks for 512, some servers exceed it
)
MAX_LINES: Final = 128  # of one reply that are kept
MAX_REPLY: Final = 256 * 1024  # octets of one reply, after which its end is not awaited
_MAX_TEXT: Final = 1000  # characters of a reply that are kept for people

# The replies of all but odd servers, in one step.
_ONE_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?: ([^\r\n]{0,2048}+))?\r\n")
# Reply-code = %x32-35 %x30-35 %x30-39; a middle digit above 5 occurs and is harmless. A fourth
# digit is no reply.
_CODE: Final = re.compile(rb"[2-5][0-9][0-9](?![0-9])")
# status-code = class "." subject "." detail (RFC 3463 §2)
_ENHANCED: Final = re.compile(ENHANCED_CODE.encode())
_WITHHELD: Final = "(not shown: it repeats our login)"
_CODE_OCTETS: Final = 4  # with the one behind it, which tells whether the code ends there


class ServerReply(NamedTuple):
    """One reply, with the text of its lines as sent."""

    code: int
    lines: tuple[bytes, ...]
    is_withheld: bool = False  # its words repeat a secret of ours and are not for people

    @property
    def is_positive(self) -> bool:
        """Completion or intermediate: we may go on."""
        return self.code < 400  # noqa: PLR2004  RFC 5321 §4.2.1: 2yz and 3yz are positive

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 2034), "" without one."""
        match = _ENHANCED.match(self.lines[0])
        return match[1].decode("ascii") if match else ""

    @property
    def status(self) -> ReplyStatus:
        """Its codes."""
        return ReplyStatus(self.code, self.enhanced)

    @property
    def text(self) -> str:
        """The whole reply in one line, safe to show: a server's words may hold anything.

        Only the codes are left of words that repeat a secret.
        """
        if self.is_withheld:
            return self.status.text
        words = b" ".join(line for line in self.lines if line)
        return f"{self.code} {_shown(words)}".rstrip()


class ReplyReader:
    """Finds replies in a stream of bytes, wherever it is cut."""

    __slots__ = (
        "_buffer",
        "_code",
        "_ends_with_lf",
        "_is_void",
        "_lines",
        "_octets",
        "_position",
        "_told",
        "asks_about_lf",
        "learns_line_end",
        "meets_lf",
        "was_odd",
    )

    def __init__(self, told: ToldSecrets | None = None) -> None:
        """`told` are the secrets that no text from here may show."""
        self._told = told or ToldSecrets()
        self._buffer = b""
        self._position = 0  # octets before it have been read
        self._lines: list[bytes] = []  # of a reply that is not complete
        self._code = 0  # of its last line that had one; 0 between replies
        self._octets = 0  # of the reply so far, empty lines before it included
        self._ends_with_lf = False  # this server ends lines with a bare LF
        self._is_void = False  # where the next reply would begin is not known
        self.learns_line_end = True  # set to False after the reply to EHLO
        self.asks_about_lf = False  # `next_reply` returns None at a bare LF, and awaits `decide`
        self.meets_lf = False  # it has done so
        self.was_odd = False  # whether the latest reply may be two in one, or another was skipped

    def receive(self, data: bytes) -> None:
        """Take bytes. Call `next_reply` until it returns None after this."""
        self._buffer = self._buffer[self._position :] + data
        self._position = 0

    def next_reply(self) -> ServerReply | None:
        """Return the next complete reply, None if more bytes are needed. Raises PeerBroke."""
        if self._is_void:
            raise ReplyEndLost(
                "the end of the last reply was not found, so nothing after it can be read"
            )
        if not self._code and (match := _ONE_LINE.match(self._buffer, self._position)) is not None:
            self._position = match.end()
            self.was_odd = bool(self._octets)
            self._octets = 0
            words = match[2] or b""
            return ServerReply(int(match[1]), (words,), self._told.are_in(words))
        if not self._octets:
            if self._position == len(self._buffer):
                return None
            self.was_odd = False
        while (end := self._buffer.find(b"\n", self._position)) >= 0:
            if self.asks_about_lf and self._is_bare(end):
                self.meets_lf = True
                return None
            line, has_cr = self._cut(end)
            if not has_cr and not self._ends_with_lf:
                self._take_bare_lf(line)
            reply = self._take_line(line)
            if reply is not None:
                return self._given(reply)
        return self._take_endless()

    def decide_about_lf(self, *, ends_lines: bool) -> None:
        """Decide whether a bare LF ends lines from here on, where `meets_lf`; then read on."""
        self.asks_about_lf = self.meets_lf = False
        self._ends_with_lf = ends_lines

    @property
    def ends_with_lf(self) -> bool:
        """Whether a bare LF ends lines: it was learned, or decided."""
        return self._ends_with_lf

    @property
    def has_surplus(self) -> bool:
        """Whether there are bytes beyond the last reply given out, or its end is not known."""
        return self._position < len(self._buffer) or bool(self._code) or self._is_void

    @property
    def unread(self) -> str:
        """The part of the next reply that has come, safe to show; "" if none has."""
        return self._safe(b" ".join([*self._lines, self._buffer[self._position :]]).strip())

    def cut_reply(self) -> ServerReply | None:
        """Return the reply that has begun and will not end, None if its code cannot be read.

        Call it only when nothing more will come. The session is void then.
        """
        rest = self._buffer[self._position :]
        match = _CODE.match(rest) if len(rest) >= _CODE_OCTETS else None
        if self._is_void or (match is None and not self._code):
            return None
        code = self._code or int(rest[:3])
        if match is not None and int(match[0]) // 100 != code // 100:
            return None
        self._is_void = True
        self._code = int(match[0]) if match is not None else code
        self._keep(rest[_CODE_OCTETS:] if match is not None else rest)
        return self._given(self._reply())

    @property
    def has_partial_code(self) -> bool:
        """Whether a reply has begun whose code can be read."""
        return bool(self._code) or _CODE.match(self._buffer[self._position :]) is not None

    def _is_bare(self, end: int) -> bool:
        """Tell whether the LF at `end` must be decided about: it would end a line of a reply."""
        if self._ends_with_lf or self.learns_line_end or self._buffer[end - 1 : end] == b"\r":
            return False
        return bool(self._code) or _CODE.match(self._buffer, self._position) is not None

    def _cut(self, end: int) -> tuple[bytes, bool]:
        """Return the line with the LF at `end`, without its end, and whether it had CRLF."""
        has_cr = end > self._position and self._buffer[end - 1] == ord("\r")
        line = self._buffer[self._position : end - has_cr]
        self.was_odd |= b"\r" in line
        self._octets += end + 1 - self._position
        self._position = end + 1
        return line, has_cr

    def _take_bare_lf(self, line: bytes) -> None:
        if self.learns_line_end:
            self._ends_with_lf = True
        elif self._code or line[3:4] == b"-":
            raise self._broken("a bare LF within a reply", line)
        else:
            self._is_void = True

    def _take_line(self, line: bytes) -> ServerReply | None:
        """Take a whole line; return the reply that ends with it."""
        match = _CODE.match(line)
        if match is None:
            self._take_text(line)
            return None
        code = int(match[0])
        if self._code and code // 100 != self._code // 100:
            raise self._broken(
                f"a reply of several lines changes from {self._code} to {code}", line
            )
        self._code = code
        is_last = line[3:4] != b"-"
        self._keep(line[4:] if line[3:4] in b" -\t" else line[3:])
        return self._reply() if is_last else None

    def _take_text(self, line: bytes) -> None:
        if self._code:
            self._keep(line)
        elif line.strip() or self._octets > MAX_REPLY:
            raise self._broken("no SMTP reply", line)
        else:
            self.was_odd = True

    def _keep(self, text: bytes) -> None:
        if len(self._lines) < MAX_LINES:
            self._lines.append(text[:MAX_LINE].replace(b"\r", b" "))

    def _reply(self) -> ServerReply:
        lines = tuple(self._lines)
        return ServerReply(self._code, lines, self._told.are_in(b"".join(lines)))

    def _given(self, reply: ServerReply) -> ServerReply:
        self._lines = []
        self._code = self._octets = 0
        return reply

    def _take_endless(self) -> ServerReply | None:
        """Return a reply whose end is not awaited any longer, None if it is.

        Raises PeerBroke for octets that are no reply.
        """
        rest = self._buffer[self._position :]
        match = _CODE.match(rest) if len(rest) >= _CODE_OCTETS else None
        if self._octets + len(rest) > MAX_REPLY:
            self._is_void = True
            if self._code:
                return self._given(self._reply())
            if match is not None:
                self._code = int(match[0])
                self._keep(rest[_CODE_OCTETS:])
                return self._given(self._reply())
        elif self._code or match is not None or len(rest) <= MAX_LINE:
            return None
        raise self._broken("no SMTP reply", rest)

    def _broken(self, what: str, line: bytes) -> PeerBroke:
        self._is_void = True
        return PeerBroke(f"{what}: {self._safe(b' '.join([*self._lines, line]))!r}")

    def _safe(self, words: bytes) -> str:
        return _WITHHELD if self._told.are_in(words) else _shown(words)


def _shown(words: bytes) -> str:
    text = words[: 4 * _MAX_TEXT].decode("utf-8", "replace")[:_MAX_TEXT]
    return (
        text
        if text.isprintable()
        else "".join(letter if letter.isprintable() else "?" for letter in text)
    )
