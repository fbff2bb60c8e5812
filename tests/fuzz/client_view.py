"""A dialogue as the client sees it: it knows its commands and matches replies by position alone.

It shares the grammar of commands with the server, and nothing else. A chunk read as commands, a
reply too many, a wrong end of content: after any of these nothing fits any more.
"""

import re
from collections import deque
from typing import Final

from restante.smtp.commands import (
    Bdat,
    Command,
    Data,
    Hello,
    Mail,
    Rcpt,
    Reset,
    StartTls,
    parse_command,
)
from restante.smtp.limits import AUTH_OCTETS, COMMAND_OCTETS
from restante.smtp.protocol_errors import CommandRefused
from tests.smtp.reference import normalized, with_crlf

_CODE: Final = re.compile(rb"^([0-9]{3}) ", re.MULTILINE)
_END_MARK: Final = b"\r\n.\r\n"
_TOO_LARGE: Final = 552
_OUT_OF_SEQUENCE: Final = 503
_NOT_OFFERED: Final = 502
_ENDS: Final = (221, 421)
_CHALLENGE: Final = 334


class ClientView:
    """Compares all sent and received octets. The server must have seen `messages`."""

    def __init__(self, sent: bytes, heard: bytes, limit: int, *, takes_mail: bool = True) -> None:
        """`limit`: octets that a message may have. `takes_mail`: whether the server offers MAIL."""
        self._takes_mail = takes_mail
        self._rest = sent
        self._codes = deque(int(code) for code in _CODE.findall(heard))
        self._limit = limit
        self._is_authenticating = False
        self._is_greeted = False
        self._is_open = False  # a transaction
        self._has_recipient = False
        self._chunks = b""
        self.messages: list[bytes] = []
        assert self._codes.popleft() == 220

    def walk(self) -> None:
        """Fail if a reply does not fit the commands sent."""
        while (line := self._next_line()) is not None:
            command = self._read(line)
            goes_on = self._see_chunk(command) if isinstance(command, Bdat) else self._see(command)
            if not goes_on:
                break
        assert list(self._codes) in ([], [421]), f"replies to nothing: {[*self._codes]}"

    def _next_line(self) -> bytes | None:
        line, newline, rest = self._rest.partition(b"\n")
        if not newline:
            return None
        self._rest = rest
        return line

    def _read(self, line: bytes) -> Command | None:
        """Return the command, or None for another text."""
        limit = AUTH_OCTETS if line[:4].upper() == b"AUTH" else COMMAND_OCTETS
        if self._is_authenticating or not line.endswith(b"\r") or len(line) >= limit:
            return None
        try:
            return parse_command(line[:-1])
        except CommandRefused:
            return None

    def _see(self, command: Command | None) -> bool:
        """Match a command's reply; False at the end."""
        code = self._codes.popleft()
        if code in _ENDS:
            return False
        assert command is not None or self._is_authenticating or code >= 500
        self._is_authenticating = code == _CHALLENGE
        match command:
            case Mail():
                self._see_mail(code)
            case Rcpt() if code == 250:
                assert self._is_open
                self._has_recipient = True
            case Hello() | Reset() if code == 250:
                self._is_greeted = self._is_greeted or isinstance(command, Hello)
                self._is_open = False
            case StartTls() if code == 554:  # with more behind it
                return False
            case Data() if code == 354:
                return self._see_content()
            case _:
                assert code != 354
        return True

    def _see_mail(self, code: int) -> None:
        if not self._takes_mail:
            assert code == _NOT_OFFERED or (code == _OUT_OF_SEQUENCE and not self._is_greeted)
            return
        assert (code == _OUT_OF_SEQUENCE) == (self._is_open or not self._is_greeted)
        if code == 250:
            self._is_open, self._has_recipient, self._chunks = True, False, b""

    def _see_content(self) -> bool:
        assert self._has_recipient
        stream = b"\r\n" + self._rest
        end = stream.find(_END_MARK)
        if end < 0:
            return False
        self._rest = stream[end + len(_END_MARK) :]
        lines = stream[2 : end + 2].split(b"\r\n")
        content = b"\r\n".join(line.removeprefix(b".") for line in lines)
        code = self._codes.popleft()
        assert (code == _TOO_LARGE) == (
            len(with_crlf(content)) > self._limit
        )  # NULs count, though they go
        if code != _TOO_LARGE:
            self.messages.append(normalized(content))
        self._is_open = False
        return True

    def _see_chunk(self, bdat: Bdat) -> bool:
        """Match a chunk's reply, which comes when its octets are there; False at the end."""
        if bdat.octets > len(self._rest):
            return False
        octets, self._rest = self._rest[: bdat.octets], self._rest[bdat.octets :]
        code = self._codes.popleft()
        if code in _ENDS:
            return False
        can_be = self._is_open and self._has_recipient
        is_too_large = len(self._chunks) + len(octets) > self._limit
        assert (code == _OUT_OF_SEQUENCE) == (not can_be)
        assert (code == _TOO_LARGE) == (can_be and is_too_large)
        if can_be and not is_too_large:
            self._take_chunk(octets, code, is_last=bdat.is_last)
        elif can_be:
            self._is_open = False
        return True

    def _take_chunk(self, octets: bytes, code: int, *, is_last: bool) -> None:
        self._chunks += octets
        if is_last:
            self.messages.append(normalized(self._chunks))
        if is_last or code != 250:
            self._is_open = False
