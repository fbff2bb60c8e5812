"""Entity tags of records (RFC 9110, section 8.8.3), and matching them with a header. Pure.

A tag has two parts, `"record-shown"`. The first is the same as long as the record is; If-Match
compares it alone. The second also changes with figures that are shown beside the record, such as
the number of held messages. If-None-Match compares both.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

_LENGTH: Final = 8  # octets of a digest
_ANY: Final = "*"
_TAG: Final = re.compile(r'(W/)?"([^"]*)"')  # RFC 9110, section 8.8.3: entity-tag


def record_tag(record: object) -> str:
    """Return a tag of a record: the same in each process, and another after each change.

    A record may have sealed secrets. They do not follow from a short digest, as each is sealed
    with a random number.
    """
    return f'"{_digest(_canonical(record))}"'


def shown_tag(record: object, shown: str) -> str:
    """Return the tag of a record as it is shown, as text."""
    return f'"{_digest(_canonical(record))}-{_digest(shown)}"'


def allows_change(if_match: str, record: object) -> bool:
    """Return whether a client with this If-Match knows the record as it is.

    RFC 9110, section 13.1.1: the comparison is strong, so a weak tag matches nothing.
    """
    if if_match.strip() == _ANY:
        return True
    wanted = _digest(_canonical(record))
    tags = [tag for is_weak, tag in _tags(if_match) if not is_weak]
    return any(tag.partition("-")[0] == wanted for tag in tags)


def knows(if_none_match: str, tag: str) -> bool:
    """Return whether a client with this If-None-Match has what is shown under a tag.

    RFC 9110, section 13.1.2: the comparison is weak.
    """
    own = tag.strip('"')
    return if_none_match.strip() == _ANY or any(each == own for _, each in _tags(if_none_match))


def _tags(header: str) -> Iterable[tuple[bool, str]]:
    """Yield whether each tag of a list is weak, and its text. Others than quoted ones are left out.

    None of ours has a comma.
    """
    for part in header.split(","):
        if (found := _TAG.fullmatch(part.strip())) is not None:
            yield bool(found[1]), found[2]


def _digest(text: str) -> str:
    octets = text.encode(errors="surrogatepass")
    return hashlib.blake2b(octets, digest_size=_LENGTH).hexdigest()


def _canonical(value: Any) -> str:
    """Return a text that is the same for equal values. The order of a set is no part of it."""
    if is_dataclass(value):
        parts = (f"{one.name}={_canonical(getattr(value, one.name))}" for one in fields(value))
        return f"{type(value).__name__}({','.join(parts)})"
    if isinstance(value, (set, frozenset)):
        return "{" + ",".join(sorted(map(_canonical, value))) + "}"
    if isinstance(value, Mapping):
        return _canonical({(key, _canonical(item)) for key, item in value.items()})
    if isinstance(value, (tuple, list)):
        return "(" + ",".join(map(_canonical, value)) + ")"
    return repr(value)
