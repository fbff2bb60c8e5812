"""SMTP as the standard words it, line by line: the measure of the engines, without their code.

A path has its own answer: `450.x@b.example` is answered 450, here and in `joined.py`.
"""

import re
from dataclasses import dataclass, field
from typing import Final

NEWLINE: Final = rb"\r\n"
# Line ends that servers have accepted; the first alone is right (RFC 5321 §2.3.8).
ALL_NEWLINES: Final = (NEWLINE, rb"\r\n|\n", rb"\r\n|\r", rb"\r\n|\n|\r", rb"\r+\n")


def code_in(path: str) -> int:
    """Return the code that a path asks to be answered with."""
    return int(path[:3])


def reply(code: int) -> bytes:
    """Spell a reply."""
    return b"%d as asked\r\n" % code


def normalized(content: bytes) -> bytes:
    """Return content as it is kept: lines end with CRLF, and there is no NUL."""
    return with_crlf(content).replace(b"\0", b"")


def with_crlf(content: bytes) -> bytes:
    """End every line with CRLF that ends with CR, LF or CRLF."""
    lines = content.splitlines(keepends=True)  # bytes know no other line ends
    return b"".join(
        line.rstrip(b"\r\n") + b"\r\n" if line.endswith((b"\r", b"\n")) else line for line in lines
    )


def ended(content: bytes) -> bytes:
    """Return content as DATA carries it: it ends with CRLF, or is empty."""
    return content if not content or content.endswith(b"\r\n") else content + b"\r\n"


def stuffed(content: bytes) -> bytes:
    """Return content as the client must send it after DATA, with the end mark (RFC 5321 §4.5.2)."""
    lines = ended(content).split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b".\r\n"


@dataclass
class Taken:
    """One message that a server took."""

    reverse_path: str
    forward_paths: list[str] = field(default_factory=list)
    content: bytes = b""


class ReferenceDestination:
    """A server that reads lines and does what they say, one after another.

    `newline` says what ends a line for it; one that drops NULs does so before it looks for that.
    """

    def __init__(
        self,
        newline: bytes = NEWLINE,
        offers: tuple[str, ...] = ("PIPELINING",),
        *,
        drops_nuls: bool = False,
    ) -> None:
        self._newline = re.compile(newline)
        self._dropped = b"\0" if drops_nuls else b""
        self._offers = offers
        self._unread = b""
        self._open: Taken | None = None
        self._is_in_content = False
        self.said = b"220 p.example ESMTP\r\n"
        self.verbs: list[str] = []  # of all commands
        self.taken: list[Taken] = []

    def receive(self, data: bytes) -> None:
        """Take bytes, and do what the lines in them say."""
        self._unread += data.translate(None, self._dropped)
        while (match := self._newline.search(self._unread)) is not None:
            if match.end() == len(self._unread) and match[0].endswith(b"\r"):
                return  # an LF may follow
            line, self._unread = self._unread[: match.start()], self._unread[match.end() :]
            if self._is_in_content:
                self._take_line(line)
            else:
                self._obey(line.decode())

    def says(self) -> bytes:
        """Return what it has to say."""
        said, self.said = self.said, b""
        return said

    def _take_line(self, line: bytes) -> None:
        assert self._open is not None
        if line != b".":
            self._open.content += line.removeprefix(b".") + b"\r\n"
            return
        self._is_in_content = False
        code = int(
            self._open.reverse_path[4:7]
        )  # the second number of a reverse-path is for the content
        self.said += reply(code)
        if code == 250:
            self.taken.append(self._open)
        self._open = None

    def _obey(self, line: str) -> None:
        verb, _, argument = line.partition(" ")
        self.verbs.append(verb)
        match verb:
            case "EHLO":
                lines = ["p.example", *self._offers]
                self.said += b"".join(f"250-{text}\r\n".encode() for text in lines[:-1])
                self.said += f"250 {lines[-1]}\r\n".encode()
            case "MAIL":
                self._take_mail(_path(argument))
            case "RCPT":
                self._take_rcpt(_path(argument))
            case "DATA":
                self._is_in_content = self._open is not None and bool(self._open.forward_paths)
                self.said += reply(354 if self._is_in_content else 503)
            case "RSET":
                self._open = None
                self.said += reply(250)
            case "QUIT":
                self.said += reply(221)
            case _:
                self.said += reply(500)

    def _take_mail(self, path: str) -> None:
        code = 503 if self._open else code_in(path)
        self._open = Taken(path) if code == 250 else self._open
        self.said += reply(code)

    def _take_rcpt(self, path: str) -> None:
        code = code_in(path) if self._open else 503
        if self._open is not None and code == 250:
            self._open.forward_paths.append(path)
        self.said += reply(code)


def _path(argument: str) -> str:
    return argument[argument.index("<") + 1 : argument.index(">")]
