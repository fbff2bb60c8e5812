"""The changes of a record, as the audit trail keeps them: field, old value, new value. Pure.

A secret is never among the values: a sealed secret, a password hash and a verifier show only that
they were set, replaced or removed. So do the names that people give to their passkeys. A use of a
passkey is no change.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from restante.mail.octets import octets_text
from restante.mail.quantity import span_text
from restante.tenancy.model import AuthorizedHosts

_NUMBER: Final = re.compile(r"[0-9]{1,18}(\.0)?", re.ASCII)
MAX_VALUE_LENGTH: Final = 300  # characters; a longer list is cut, and its number of entries follows
NOTHING: Final = "none"
SECRET: Final = "set"  # noqa: S105  what is shown in the place of one
_REPLACED: Final = "replaced"
_TIMES: Final = ("until", "_at")  # endings of the names of fields with a Unix time
_SPANS: Final = ("seconds", "drill_every")  # endings of those with a number of seconds
_NOT_SHOWN: Final = {"id", "created_at", "revision", "totp_step", "signed_in_at"}
# Fields that hold a secret, in addition to all that are bytes; and the plain names of such fields.
_SECRET_FIELDS: Final = {
    "password_hash": "password",
    "sealed_secret": "sealed password",
    "sealed_verifier": "SCRAM verifier",
    "sealed": "sealed secret",
    "secret_hash": "secret",
    "sealed_totp": "secret of the one-time codes",
    "recovery_hashes": "recovery codes",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a record: its value before and after, as texts."""

    field: str  # with dots: policy.quota.octets
    before: str
    after: str


def changes_between(before: object | None, after: object | None) -> tuple[Change, ...]:
    """Return the fields of a record that differ. None stands for a record that is not there.

    `before` and `after` are dataclasses of the same kind. A record that is added has all its values
    that are something; one that is removed has those that it had.
    """
    was, now = _values(before), _values(after)
    return tuple(
        Change(name, *_shown(was.get(name), now.get(name)))
        for name in {**was, **now}
        if was.get(name) != now.get(name)
    )


@dataclass(frozen=True, slots=True)
class _Secret:
    """A value that may be compared and not shown."""

    value: object


def _values(record: object | None) -> dict[str, object]:
    return {} if record is None else dict(_flat("", record))


def _flat(prefix: str, record: Any) -> Iterator[tuple[str, object]]:
    """Yield the fields of a record and of the records in it. Empty fields are left out."""
    for field in fields(record):
        value, name = getattr(record, field.name), f"{prefix}{field.name}"
        if field.name in _NOT_SHOWN or value is None or value in ("", ()):
            continue
        if field.name == "passkeys":
            yield name, tuple(one.key for one in value)
            yield f"{prefix}names of passkeys", _Secret(tuple(one.name for one in value))
        elif field.name == "certificates":
            yield name, tuple(f"{one.subject} (key {one.key})" for one in value)
        elif isinstance(value, bytes) or field.name in _SECRET_FIELDS:
            yield f"{prefix}{_SECRET_FIELDS.get(field.name, field.name)}", _Secret(value)
        elif isinstance(value, AuthorizedHosts):
            if value.texts:
                yield name, value.texts
        elif is_dataclass(value):
            yield from _flat(f"{name}.", value)
        else:
            yield name, _readable(field.name, value)


def _readable(name: str, value: object) -> object:
    """Return a moment, a span or a size as commands take and show it, and of a text its hash."""
    if name == "ca_text":
        return f"PEM text with SHA-256 {hashlib.sha256(str(value).encode()).hexdigest()}"
    if not isinstance(value, int | float):
        return value
    if name.endswith(_TIMES):
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    if name.endswith(_SPANS):
        return span_text(value)
    return octets_text(int(value)) if name.endswith("octets") else value


def difference_text(change: Change) -> str:
    """Return a difference as a clause, without a secret."""
    if change.after == _REPLACED and change.before == SECRET:
        return f"{change.field} differs"
    return f"{change.field} is {change.before}, not {change.after}"


def readable_change(change: Change) -> Change:
    """Return a change without raw seconds and octets, which earlier versions recorded."""
    return replace(
        change,
        before=_of_number(change.field, change.before),
        after=_of_number(change.field, change.after),
    )


def _of_number(name: str, text: str) -> str:
    """Read a text that is a number, and leave every other as it is."""
    is_amount = name.endswith((*_SPANS, "octets")) and _NUMBER.fullmatch(text)
    return str(_readable(name, float(text))) if is_amount else text


def _shown(before: object | None, after: object | None) -> tuple[str, str]:
    if isinstance(before, _Secret) and isinstance(after, _Secret):
        return SECRET, _REPLACED
    return _text(before), _text(after)


def _text(value: object | None) -> str:
    match value:
        case None:
            return NOTHING
        case _Secret():
            return SECRET
        case Enum():
            return str(value.value)
        case bool():
            return "yes" if value else "no"
        case tuple() | list() | frozenset() | set():
            items = map(str, value)
            return listed_text(sorted(items) if isinstance(value, set | frozenset) else list(items))
    return _cut(str(value), "")


def listed_text(items: Sequence[str]) -> str:
    """Return a list as a value is shown; a long one is cut and ends with its number of entries."""
    return _cut(", ".join(items), f" ({len(items)} in all)") if items else NOTHING


def _cut(text: str, ending: str) -> str:
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…{ending}"
