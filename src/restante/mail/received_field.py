"""The Received field (RFC 5321 §4.4), the one addition to content, and its number (§6.3).

Its `by` equals our greeting and our EHLO name, in a single hop: spam filters behind us find the
true client by that.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from restante.mail.message_origin import PtrStatus

HEADER_OCTETS: Final = 65536  # of content, where Received fields are looked for: they stand first

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_RECEIVED = re.compile(
    rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE
)  # RFC 5322 §4.5.8 still allows the blanks
# A domain, or a real client's substitute for one, or an address literal
_PLAIN_NAME: Final = re.compile(
    r"(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]{1,255}|\[[A-Za-z0-9:.\-]{1,64}\])\Z"
)
_NOT_IN_COMMENT: Final = re.compile(r"[^!-'*-\[\]-~]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SessionFacts(NamedTuple):
    """The known facts of the session that a message came through."""

    client_name: str  # as EHLO gave it
    address: str
    is_extended: bool
    tls: str  # "TLSv1.3 TLS_AES_256_GCM_SHA384", "" without TLS
    is_authenticated: bool = False
    has_our_name: bool = False  # the client called itself by a name of ours (mail/own_names.py)
    port: int = 0  # of the client; 0: not known
    host_name: str = ""  # the PTR name of the address, as in MessageOrigin
    ptr: PtrStatus = PtrStatus.NOT_LOOKED_UP

    def protocol(self, *, is_smtputf8: bool) -> str:
        """Return the WITH keyword (RFC 3848, RFC 6531 §4.3)."""
        if not self.is_extended:
            return "SMTPS" if self.tls else "SMTP"
        base = "UTF8SMTP" if is_smtputf8 else "ESMTP"
        return f"{base}{'S' if self.tls else ''}{'A' if self.is_authenticated else ''}"


def received_field(
    origin: SessionFacts, *, by: str, name: str, only_recipient: str, at: float, is_smtputf8: bool
) -> bytes:
    """Return the field with its CRLF.

    `only_recipient` is "" where naming one would tell others' addresses.
    """
    tls = f" ({origin.tls})" if origin.tls else ""
    recipient = f"\r\n\tfor <{only_recipient}>" if only_recipient else ""
    return (
        "Received: from"
        f" {from_clause(origin.client_name, origin.address, is_ours=origin.has_our_name)}\r\n"
        f"\tby {by} with {origin.protocol(is_smtputf8=is_smtputf8)}{tls} id {name}{recipient};\r\n"
        f"\t{date_time(int(at))}\r\n"
    ).encode()


def from_clause(client_name: str, address: str, *, is_ours: bool) -> str:
    """Return the FROM clause without its keyword: `name ([address])` in the usual case.

    `[address] (helo=name)`, as Exim writes it, if the name is ours or is not valid.
    Such a name must not stand where filters look for the host.
    """
    if _PLAIN_NAME.match(client_name) and not is_ours:
        return f"{client_name} ({_literal(address)})"
    return f"{_literal(address)} (helo={_NOT_IN_COMMENT.sub('?', client_name)})"


def _literal(address: str) -> str:
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def has_more_hops(content: bytes, limit: int) -> bool:
    """Tell whether more than `limit` hosts have put a Received field on top (RFC 5321 §6.3).

    `content` is its beginning at least; the header section in it counts, up to the first empty
    line. Most messages have fewer lines there, and almost all fewer that begin with an R: counting
    those costs a microsecond.
    """
    end = content.find(b"\r\n\r\n")
    end = end if end >= 0 else len(content)
    if content.count(b"\n", 0, end) < limit:
        return False
    if (
        1 + content.count(b"\nR", 0, end) + content.count(b"\nr", 0, end) <= limit
    ):  # 1: the first line
        return False
    return len(_RECEIVED.findall(content, 0, end)) > limit


class OwnFieldCount:
    """Counts the Received fields of one host in content that comes in blocks.

    Only the header section counts, and a field in the form that `received_field` gives it. A client
    can add such fields itself. So their number is a sign of a loop, and no proof.
    """

    __slots__ = ("_is_over", "_mark", "_seen", "_tail", "found")

    def __init__(self, hostname: str) -> None:
        self._mark = f"by {hostname} with ".encode()
        self._tail = b""  # of the blocks before, shorter than the mark
        self._seen = 0
        self._is_over = False
        self.found = 0

    def take(self, block: bytes) -> None:
        """Take the next block. After the header, nothing is done."""
        if self._is_over:
            return
        text = self._tail + block if self._tail else block
        end = text.find(b"\r\n\r\n", 0, HEADER_OCTETS)
        self.found += text.count(self._mark, 0, end if end >= 0 else HEADER_OCTETS)
        self._seen += len(block)
        self._is_over = end >= 0 or self._seen >= HEADER_OCTETS
        self._tail = b"" if self._is_over else text[1 - len(self._mark) :]


@lru_cache(maxsize=8)
def date_time(at: int) -> str:
    """Spell Unix seconds as a date-time of RFC 5322 §3.3, in UTC. Many messages share a second."""
    moment = datetime.fromtimestamp(at, UTC)
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S}"
        " +0000"
    )
