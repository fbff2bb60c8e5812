"""The column that says where a message came from.

It is read for people, and for destinations that are told the client. One that cannot be read is as
good as none: it must not keep a message from being delivered or shown.
"""

from ipaddress import ip_address
from json import dumps, loads
from json.encoder import encode_basestring_ascii
from typing import Final, get_type_hints

from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.tenancy.model import IpNetwork

_FACTS: Final = tuple(get_type_hints(MessageOrigin))
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


def read_origin(text: str | None) -> MessageOrigin | None:
    """Read it back; None where there is none, or nothing that was written here.

    Facts of a later version are left out.
    """
    if text is None:
        return None
    try:
        written = loads(text)
        facts = {name: written[name] for name in _FACTS if name in written}
        return MessageOrigin(**facts | {"ptr": _read_ptr(facts.get("ptr"))})
    except (TypeError, ValueError):
        return None


def client_is_within(address: str, network: IpNetwork) -> bool:
    """Tell whether the address of an origin is in a network; "" and odd ones are in none."""
    try:
        return ip_address(address) in network
    except ValueError:
        return False


def _read_ptr(word: str | None) -> PtrStatus:
    try:
        return PtrStatus(word or PtrStatus.NOT_LOOKED_UP)
    except ValueError:
        return PtrStatus.NOT_LOOKED_UP
