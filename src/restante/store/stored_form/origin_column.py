"""The column that says where a message came from.

It is read only for people. So one that cannot be read is as good as none: it must not keep a
message from being delivered or shown.
"""

from json import dumps, loads
from json.encoder import encode_basestring_ascii
from typing import Final, get_type_hints

from restante.mail.message_origin import MessageOrigin, PtrStatus

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


def _read_ptr(word: str | None) -> PtrStatus:
    try:
        return PtrStatus(word or PtrStatus.NOT_LOOKED_UP)
    except ValueError:
        return PtrStatus.NOT_LOOKED_UP
