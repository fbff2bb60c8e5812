"""The header of a drill's message as it arrived: the addresses that the primary judged. Pure.

Servers put their fields on top. So only the fields above our own Received field are the primary's.
Those below came with the message. Of these fields, four name the client that was judged:

    Received-SPF              client-ip=ADDRESS (RFC 7208 §9.1)
    Authentication-Results    smtp.remote-ip=ADDRESS, policy.iprev=ADDRESS (RFC 8601 §2.7.3)
    Authentication-Results    an address in the comment of spf=, as rspamd and Exchange write it
    Received                  the one right above ours: the client of the primary's mail server

Our field is that of the server that the Message-ID names: several servers with names of their own
can have one store. Any field can be invented by the one who gives the header. The reader must know
the message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from itertools import islice
from typing import Final

from restante.mail.message_id import message_id_of
from restante.mail.received_field import HEADER_OCTETS

_MOST_FIELDS: Final = 500
_MOST_ADDRESSES: Final = 20
_FIELD: Final = re.compile(r"([!-9;-~]{1,100})[ \t]*:")
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_EMPTY_LINE: Final = re.compile(rb"\n\r?\n")
_CLIENT_IP: Final = re.compile(r'\bclient-ip="?([0-9A-Fa-f:.]{2,45})', re.IGNORECASE)
_PROPERTY: Final = re.compile(
    r'\b(?:smtp\.remote-ip|policy\.iprev)="?(?:\[?(?:IPv6:)?)([0-9A-Fa-f:.]{2,45})', re.IGNORECASE
)
_SPF: Final = re.compile(r"\bspf=[^;]{0,1000}", re.IGNORECASE)
_WORD: Final = re.compile(r"(?<![\w.:])[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]+(?![\w])")
_OF_CLIENT: Final = re.compile(r"[\[(](?:IPv6:)?([0-9A-Fa-f:.]{2,45})[\])]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ArrivedHeader:
    """The facts of a header. Addresses are in their canonical form."""

    message_id: str = ""  # with brackets
    client: str = ""  # of our own Received field; "" without one
    of_filters: tuple[str, ...] = ()  # the addresses that filters have judged
    of_server: str = ""  # the client of the mail server that took the message from us


def header_text(content: bytes) -> str:
    """Return the header section of a message as text, for a request. Other octets become signs."""
    header = content[:HEADER_OCTETS].replace(b"\r\n", b"\n")
    end = header.find(b"\n\n")
    return header[: end if end >= 0 else len(header)].decode("ascii", "replace")


def read_arrived(content: bytes) -> ArrivedHeader:
    """Return the facts of content, of which the header section counts."""
    fields = list(_fields(content))
    message_id = _message_id(content)
    hostname = message_id.rpartition("@")[2].removesuffix(">")
    own = next((place for place, one in enumerate(fields) if _is_ours(one, hostname)), None)
    if own is None:
        return ArrivedHeader(message_id)
    above = fields[:own]
    server = next((value for name, value in reversed(above) if name == "received"), "")
    judged = (address for name, value in above for address in _judged(name, value))
    return ArrivedHeader(
        message_id,
        _client(fields[own][1]),
        tuple(dict.fromkeys(islice(judged, _MOST_ADDRESSES))),
        _client(server),
    )


def _message_id(content: bytes) -> str:
    lines = content[:HEADER_OCTETS].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return message_id_of(lines) or ""


def _fields(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the fields of the header: the name in lower case, and the value on one line."""
    header = content[:HEADER_OCTETS]
    end = _EMPTY_LINE.search(header)
    text = header[: end.start() if end is not None else len(header)].decode("latin-1")
    unfolded = _FOLD.sub(" ", text)
    for line in unfolded.split("\n", _MOST_FIELDS)[:_MOST_FIELDS]:
        found = _FIELD.match(line)
        if found is not None:  # otherwise it is no field, such as the first line of a mailbox
            yield found[1].lower(), " ".join(line[found.end() :].split())


def _is_ours(field: tuple[str, str], hostname: str) -> bool:
    """Tell whether a field has the form that `received_field` gives it."""
    name, value = field
    before, by, _ = value.partition(f" by {hostname} with ")
    return name == "received" and bool(by) and " by " not in before


def _client(value: str) -> str:
    """Return the address of the client in a Received field; "" if it names none.

    The one in a comment is of the connection. Before it, the client's own name can be an address.
    """
    clause = value.partition(" by ")[0]
    place = max(clause.find("("), 0)
    for text in (clause[place:], clause):
        for found in islice(_OF_CLIENT.finditer(text), _MOST_ADDRESSES):
            address = _canonical(found[1])
            if address:
                return address
    return ""


def _judged(name: str, value: str) -> Iterator[str]:
    """Yield the addresses that a field of a filter names as the client."""
    words: list[str] = []
    if name == "received-spf":
        words = _CLIENT_IP.findall(value)
    elif name == "authentication-results":
        words = _PROPERTY.findall(value)
        if not words:
            words = [word for spf in _SPF.findall(value) for word in _WORD.findall(spf)]
    for word in words[:_MOST_ADDRESSES]:
        address = _canonical(word)
        if address:
            yield address


def _canonical(word: str) -> str:
    """Return an address in the one form that it has here; "" if it is none."""
    try:
        address = ip_address(word.rstrip("."))
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
