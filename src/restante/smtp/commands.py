"""Commands, read from lines (RFC 5321 §4.1.1 and the extensions in docs/rfc.md).

A line becomes one of these values, or raises CommandRefused with the reply for the peer. Whether a
command is allowed at this moment is decided in phases.py.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from restante.mail.address import Mailbox
from restante.mail.dsn_request import RecipientRequest, Ret
from restante.smtp import replies
from restante.smtp.dsn_parameters import take_mail_request, take_recipient_request
from restante.smtp.grammar import Parameters, parse_hello_name, parse_path
from restante.smtp.protocol_errors import CommandRefused

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NUMBER: Final = re.compile(r"[0-9]{1,20}\Z")


class Hello(NamedTuple):
    """EHLO, or HELO where `is_extended` is False."""

    name: str
    is_extended: bool


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS (RFC 3207)."""


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (RFC 4954). `initial` is the initial response as sent, in Base64; None without one."""

    mechanism: str
    initial: str | None


class Mail(NamedTuple):
    """MAIL.

    `reverse_path` None is the null reverse-path; `size` is what SIZE announced, 0 without it.
    """

    reverse_path: Mailbox | None
    size: int = 0
    is_8bit: bool = False
    needs_smtputf8: bool = False
    ret: Ret | None = None
    envelope_id: str = ""  # xtext


class Rcpt(NamedTuple):
    """RCPT.

    `request` is what it said about reports; `unknown` are the keywords that mean nothing to us.
    """

    forward_path: Mailbox
    unknown: tuple[str, ...] = ()
    request: RecipientRequest | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """DATA."""


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT (RFC 3030 §2)."""

    octets: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Help:
    """HELP."""


@dataclass(frozen=True, slots=True)
class Verify:
    """VRFY."""


@dataclass(frozen=True, slots=True)
class Etrn:
    """ETRN (RFC 1985). `argument` is as sent, "" without one."""

    argument: str


@dataclass(frozen=True, slots=True)
class Atrn:
    """ATRN (RFC 2645 §5.2.1). `argument` is as sent, "" without one."""

    argument: str


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


@dataclass(frozen=True, slots=True)
class Unimplemented:
    """A command we know and do not offer: TURN, EXPN."""


Command = (
    Hello
    | StartTls
    | Auth
    | Mail
    | Rcpt
    | Data
    | Bdat
    | Reset
    | Noop
    | Help
    | Verify
    | Etrn
    | Atrn
    | Quit
    | Unimplemented
)


def parse_command(line: bytes) -> Command:
    """Read a line without its CRLF. Raises CommandRefused."""
    verb_octets, _, argument_octets = line.partition(b" ")
    parser = _PARSERS.get(verb_octets.upper())
    if _CONTROL.search(line):
        raise CommandRefused(replies.BAD_CHARACTER)
    if parser is None:
        parser, argument_octets = _loosely_spelled(line)
    return parser(_text(argument_octets))


def _loosely_spelled(line: bytes) -> tuple[Callable[[str], Command], bytes]:
    """Find the command where blanks stand before it, or a TAB behind it, as Postfix does.

    BDAT is read strictly: a server that reads one otherwise than its client takes content for
    commands.
    """
    words = line.split(maxsplit=1)
    parser = _PARSERS.get(words[0].upper()) if words else None
    if parser is None or parser is _bdat:
        raise CommandRefused(replies.UNKNOWN_COMMAND)
    return parser, words[1] if len(words) > 1 else b""


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandRefused(replies.BAD_CHARACTER) from None


def _hello(argument: str, *, is_extended: bool) -> Hello:
    try:
        return Hello(parse_hello_name(argument), is_extended)
    except ValueError:
        raise CommandRefused(replies.BAD_HELLO) from None


def _auth(argument: str) -> Auth:
    words = argument.split(maxsplit=1)
    if not words:
        raise CommandRefused(replies.BAD_ARGUMENTS)
    return Auth(words[0].upper(), words[1].rstrip() if words[1:] else None)


def decode_initial(initial: str | None) -> bytes | None:
    """Decode an initial response, None where there is none. Raises CommandRefused (501)."""
    return None if initial is None else decode_response(initial.encode())


def decode_response(line: bytes) -> bytes:
    """Decode a SASL response line. `=` is an empty initial response (RFC 4954 §4).

    Raises CommandRefused (501).
    """
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise CommandRefused(replies.BAD_BASE64) from None


def _mail(argument: str) -> Mail:
    reverse_path, parameters = parse_path(argument, "FROM:", replies.BAD_REVERSE_PATH)
    if not parameters:
        return Mail(reverse_path)
    size = _size(parameters)
    is_8bit = _is_8bit(parameters)
    needs_smtputf8 = _flag(parameters, "SMTPUTF8")
    ret, envelope_id = take_mail_request(parameters)
    parameters.pop(
        "AUTH", None
    )  # RFC 4954 §5: taken; we trust nobody's word about who submitted it
    if parameters:
        raise CommandRefused(replies.UNKNOWN_PARAMETER)
    # Without a domain too: the primary knows what `root` is there. Non-ASCII without SMTPUTF8, as
    # Postfix takes it: a primary that offers SMTPUTF8 gets the parameter from us.
    return Mail(reverse_path, size, is_8bit, needs_smtputf8, ret, envelope_id)


def _size(parameters: Parameters) -> int:
    """RFC 1870 §3: SIZE= and up to 20 digits."""
    if "SIZE" not in parameters:
        return 0
    return int(_required(parameters.pop("SIZE"), _NUMBER))


def _is_8bit(parameters: Parameters) -> bool:
    if "BODY" not in parameters:
        return False
    body = (parameters.pop("BODY") or "").upper()
    if body not in ("7BIT", "8BITMIME"):
        raise CommandRefused(replies.UNKNOWN_PARAMETER)
    return body == "8BITMIME"


def _flag(parameters: Parameters, keyword: str) -> bool:
    if keyword not in parameters:
        return False
    if parameters.pop(keyword) is not None:
        raise CommandRefused(replies.BAD_ARGUMENTS)
    return True


def _required(value: str | None, pattern: re.Pattern[str]) -> str:
    if value is None or not pattern.match(value):
        raise CommandRefused(replies.BAD_ARGUMENTS)
    return value


def _rcpt(argument: str) -> Rcpt:
    forward_path, parameters = parse_path(argument, "TO:", replies.BAD_FORWARD_PATH)
    if forward_path is None:
        raise CommandRefused(replies.BAD_FORWARD_PATH)
    if (
        not forward_path.domain and forward_path.local_part.lower() != "postmaster"
    ):  # RFC 5321 §4.5.1
        raise CommandRefused(replies.BAD_FORWARD_PATH)
    request = take_recipient_request(parameters) if parameters else None
    return Rcpt(forward_path, tuple(parameters), request)


def _bdat(argument: str) -> Bdat:
    words = argument.upper().split()
    if not words or not _NUMBER.match(words[0]) or words[1:] not in ([], ["LAST"]):
        raise CommandRefused(replies.BAD_ARGUMENTS)
    return Bdat(int(words[0]), bool(words[1:]))


def _bare(command: Command) -> Callable[[str], Command]:
    """Make the parser of a command without argument; blanks behind it are forgiven."""

    def parse(argument: str) -> Command:
        if argument.strip(" \t"):
            raise CommandRefused(replies.NO_ARGUMENTS_ALLOWED)
        return command

    return parse


def _any(command: Command) -> Callable[[str], Command]:
    """Make the parser of a command whose argument does not matter to us."""
    return lambda _argument: command


_PARSERS: Final[Mapping[bytes, Callable[[str], Command]]] = {
    b"EHLO": lambda argument: _hello(argument, is_extended=True),
    b"HELO": lambda argument: _hello(argument, is_extended=False),
    b"STARTTLS": _bare(StartTls()),
    b"AUTH": _auth,
    b"MAIL": _mail,
    b"RCPT": _rcpt,
    b"DATA": _bare(Data()),
    b"BDAT": _bdat,
    b"RSET": _bare(Reset()),
    b"NOOP": _any(Noop()),
    b"HELP": _any(Help()),
    b"VRFY": _any(Verify()),
    b"EXPN": _any(Unimplemented()),
    b"TURN": _any(Unimplemented()),
    b"ETRN": lambda argument: Etrn(argument.strip(" \t")),
    b"ATRN": lambda argument: Atrn(argument.strip(" \t")),
    b"QUIT": _any(Quit()),
}
