"""The column that says where a message came from.

It is read for people, and for destinations that are told the client. One that cannot be read is as
good as none: it must not keep a message from being delivered or shown.

The history has the same column without the address, which has a column of its own there. The
statements that settle mail cut it off, so `"port":` follows it.
"""

from ipaddress import ip_address
from json import dumps, loads
from json.encoder import encode_basestring_ascii
from typing import Final, get_type_hints

from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.tenancy.model import IpNetwork

_FACTS: Final = tuple(get_type_hints(MessageOrigin))
_AFTER_ADDRESS: Final = '"port":'  # in no quoted text: a quote has a backslash there
_quoted: Final = encode_basestring_ascii  # json.dumps of a dict costs 3 µs more


def origin_text(origin: MessageOrigin) -> str:
    """Spell an origin; empty values are left out. This is on the way of each message in."""
    text = f'{{"address":{_quoted(origin.address)},"port":{origin.port}'
    text += f',"hello":{_quoted(origin.hello)}'
    if origin.tls:
        text += f',"tls":{_quoted(origin.tls)}'
    if origin.host_name:
        text += f',"host_name":{_quoted(origin.host_name)}'
    if origin.verdicts:
        text += f',"verdicts":{dumps(dict(origin.verdicts))}'
    if origin.ptr is not PtrStatus.NOT_LOOKED_UP:
        text += f',"ptr":"{origin.ptr}"'
    if origin.is_imported:
        text += ',"is_imported":true'
    return text + "}"


def past_origin_text(origin: MessageOrigin) -> str:
    """Spell the origin of mail that left, without its address."""
    text = origin_text(origin)
    return "{" + text[text.index(_AFTER_ADDRESS) :]


def read_origin(text: str | None) -> MessageOrigin | None:
    """Read it back; None where there is none, or nothing that was written here.

    Facts of a later version are left out.
    """
    return None if text is None else _read(text, {})


def read_past_origin(text: str | None, address: str) -> MessageOrigin | None:
    """Read the origin of mail that left, beside the address that it came from."""
    return None if text is None else _read(text, {"address": address})


def client_is_within(address: str, network: IpNetwork) -> bool:
    """Tell whether the address of an origin is in a network; "" and odd ones are in none."""
    try:
        return ip_address(address) in network
    except ValueError:
        return False


def _read(text: str, known: dict[str, str]) -> MessageOrigin | None:
    try:
        written = loads(text)
        facts = {name: written[name] for name in _FACTS if name in written} | known
        return MessageOrigin(**facts | {"ptr": _read_ptr(facts.get("ptr"))})
    except (TypeError, ValueError):
        return None


def _read_ptr(word: str | None) -> PtrStatus:
    try:
        return PtrStatus(word or PtrStatus.NOT_LOOKED_UP)
    except ValueError:
        return PtrStatus.NOT_LOOKED_UP
