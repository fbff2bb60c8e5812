"""Read a file for `restante apply` as entries of the API: TOML, JSON, or CSV for domains.

Names are those of the options and of `domain show --json`. Sizes, ages and times may be written as
the options take them. Passwords, keys and lists may be in files of their own, whose paths are
relative to the file.
"""

import csv
import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from io import StringIO
from pathlib import Path
from typing import Any, Final

import typer

from restante.cli.options import parse_octets, seconds
from restante.config.setting_places import SettingLocation, key_lines
from restante.mail.csv_cells import unmarked
from restante.mail.unique_json import read_json
from restante.tenancy.policy_settings import SETTINGS, SettingKind

EntryFields = dict[str, Any]

THINGS: Final = ("account", "login", "domain", "channel")
NONE: Final = "none"  # removes a limit
ADDRESSES_AT_ONCE: Final = 1000  # in one line of a request
# A field that is read from a file, and the field that it gives.
_FILES: Final = {
    "password_file": "password",
    "destination_password_file": "destination_password",
    "key_file": "key",
    "webhook_file": "webhook",
    "apprise_file": "apprise",
}
_LISTS: Final = ("allow", "tls_pins", "addresses")
_FLAGS: Final = frozenset(one.name for one in SETTINGS if one.kind is SettingKind.FLAG)
_NUMBERS: Final = ("connections",)
# Columns of CSV that are not fields of the domain.
_OF_THE_ACCOUNT: Final = ("note",)
_OF_THE_LOGIN: Final = ("login", "password", "password_file")


class UnusableEntry(Exception):  # noqa: N818  a refusal
    """A value cannot be read. Has field, cause and remedy."""


@dataclass(slots=True)
class ReadConfiguration:
    """The entries of a file, in its order, and the faults in it."""

    entries: list[EntryFields] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, thing: str, fields: Mapping[str, Any], place: str, base: Path) -> None:
        """Add an entry, or a problem if a value cannot be read."""
        try:
            entry = {"thing": thing, "place": place, **plain_fields(fields, base)}
        except UnusableEntry as error:
            name = fields.get("user" if thing == "login" else "name", "")
            self.problems.append(f"{place}: {f'{thing} {name}'.strip()}: {error}")
        else:
            self.entries.append(entry)


def read_configuration(text: str, form: str, name: str, base: Path) -> ReadConfiguration:
    """Return the entries of a text in `toml`, `json` or `csv`.

    `name` is that of the file, for errors; `base` its directory, for paths in it.
    """
    if form == "csv":
        return _read_csv(text, name, base)
    found = ReadConfiguration()
    lines: Mapping[SettingLocation, int] = {}
    try:
        if form == "json":
            content = read_json(text)
        else:
            content = tomllib.loads(text)
            lines = key_lines(text)
    except RecursionError:
        found.problems.append(f"{name}: is nested too deeply; write flat {form.upper()}")
        return found
    except (tomllib.TOMLDecodeError, ValueError) as error:
        remedy = f"write it as {form.upper()}, or name its format by --format"
        found.problems.append(f"{name}: {error}; {remedy}")
        return found
    if not isinstance(content, dict):
        found.problems.append(f"{name}: is not an object; write one with {', '.join(THINGS)}")
        return found
    for key, value in content.items():
        _add_all(found, key, value, _Places(name, lines), base)
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """The places of a file, as errors name them."""

    name: str
    lines: Mapping[SettingLocation, int]

    def of(self, *location: str | int) -> str:
        line = self.lines.get(location)
        return f"{self.name}:{line}" if line else self.name


def _add_all(found: ReadConfiguration, key: str, value: Any, places: _Places, base: Path) -> None:
    if key not in THINGS:
        remedy = f"it has [[{']], [['.join(THINGS)}]]"
        found.problems.append(f"{places.of(key)}: {key}: is unknown; {remedy}")
        return
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        found.problems.append(f"{places.of(key)}: {key}: is not a list; write [[{key}]]")
        return
    for number, fields in enumerate(value):
        found.add(key, fields, places.of(key, number), base)


# --- values


def plain_fields(fields: Mapping[str, Any], base: Path) -> EntryFields:
    """Return fields in the form of the API. Raises UnusableEntry."""
    plain: EntryFields = {}
    for key, value in fields.items():
        if key in _FILES:
            _put(plain, fields, _FILES[key], _first_line(key, base, value))
        elif key == "addresses_file":
            _put(plain, fields, "addresses", _addresses(base, value))
        elif key in _READERS and isinstance(value, str):
            plain[key] = _read(key, value, _READERS[key])
        elif key == "tls_ca" and isinstance(value, str) and value and "-----BEGIN" not in value:
            plain[key] = str((base / value).absolute())
        elif isinstance(value, datetime | date | time):
            plain[key] = _moment(key, value)
        else:
            plain[key] = value
    return plain


def _put(plain: EntryFields, fields: Mapping[str, Any], key: str, value: Any) -> None:
    if key in fields:
        raise UnusableEntry(f"{key}: is given twice; write it, or name a file")
    plain[key] = value


def _read(key: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except typer.BadParameter as error:
        raise UnusableEntry(f"{key}: {error.message}") from None


def _limit(reader: Callable[[str], int]) -> Callable[[str], int]:
    return lambda text: 0 if text == NONE else reader(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is not a number; write a whole number, or {NONE}")
    return int(text)


def _time(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time; write one such as 2026-12-01T00:00:00Z"
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _time_or_never(text: str) -> str:
    return text if text == "never" else _time(text)


# How a text of each kind is read. A setting of the policy has the kind that its option has.
_BY_KIND: Final[Mapping[SettingKind, Callable[[str], Any]]] = {
    SettingKind.SIZE: _limit(parse_octets),
    SettingKind.COUNT: _limit(_count),
    SettingKind.AGE: _limit(seconds),
    SettingKind.TIME: _time,
}
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **{one.name: _BY_KIND[one.kind] for one in SETTINGS if one.kind in _BY_KIND},
    "per_minute": _limit(_count),
    "expires_at": _time_or_never,
}


def _moment(key: str, value: datetime | date | time) -> str:
    """Return a time of TOML; the default time zone is UTC."""
    if isinstance(value, time):
        raise UnusableEntry(f"{key}: is not a time; write a time such as 2026-12-01T00:00:00Z")
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()


def _first_line(key: str, base: Path, name: Any) -> str:
    first = next(iter(_text_of(key, base, name).splitlines()), "")
    if not first:
        raise UnusableEntry(f"{key}: {base / str(name)}: is empty; write the value on a line")
    return first


def _addresses(base: Path, name: Any) -> list[str]:
    lines = _text_of("addresses_file", base, name).splitlines()
    found = (line.partition("#")[0].strip() for line in lines)
    return [line for line in found if line]


def _text_of(key: str, base: Path, name: Any) -> str:
    if not isinstance(name, str):
        raise UnusableEntry(f"{key}: is not the name of a file; write it in quotes")
    path = base / name
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnusableEntry(f"{key}: {path}: {error.strerror}; name another file") from None
    except UnicodeDecodeError:
        raise UnusableEntry(f"{key}: {path}: is not UTF-8; write it so") from None


# --- CSV


_CSV_FAULTS: Final = {
    "unexpected end of data": (
        'a quote is not closed; end the field with ", and write "" for a quote within it'
    )
}


def _read_csv(text: str, name: str, base: Path) -> ReadConfiguration:
    """Read a line for each domain, with its account and login. The first line names the fields."""
    found = ReadConfiguration()
    table = _Table(found, base)
    rows = csv.DictReader(StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in rows.fieldnames or ()]
        if not {"account", "domain"} <= set(header):
            remedy = "name at least account and domain in the first line"
            found.problems.append(f"{name}:1: its header lacks columns; {remedy}")
            return found
        rows.fieldnames = header
        for row in rows:
            table.add(row, f"{name}:{rows.line_num}")
    except csv.Error as error:
        fault = _CSV_FAULTS.get(str(error), f"{error}; write it as CSV")
        found.problems.append(f"{name}:{rows.reader.line_num}: {fault}")
    return found


class _Table:
    """Makes entries of rows. An account or login may be in several of them."""

    def __init__(self, found: ReadConfiguration, base: Path) -> None:
        self._found = found
        self._base = base
        self._accounts: dict[str, EntryFields] = {}
        self._logins: dict[tuple[str, str], EntryFields] = {}

    def add(self, row: Mapping[Any, Any], place: str) -> None:
        """Add the entries of a row, or a problem."""
        if None in row:
            self._wrong(place, "has more cells than the header; quote cells with commas")
            return
        cells = {str(key): value.strip() for key, value in row.items() if value and value.strip()}
        # No export has passwords, so an apostrophe in front of one belongs to it.
        cells = {key: one if key == "password" else unmarked(one) for key, one in cells.items()}
        if not cells.get("account") or not cells.get("domain"):
            self._wrong(place, "lacks its account or domain; fill both in")
            return
        account = cells["account"]
        self._add_account(account, _taken(cells, _OF_THE_ACCOUNT), place)
        self._add_logins(account, _taken(cells, _OF_THE_LOGIN), place)
        cells["name"] = cells.pop("domain")
        try:
            fields = dict(_cells_read(cells))
        except UnusableEntry as error:
            self._wrong(place, f"domain {cells['name']}: {error}")
        else:
            self._found.add("domain", fields, place, self._base)

    def _add_account(self, account: str, fields: EntryFields, place: str) -> None:
        if account not in self._accounts:
            self._accounts[account] = fields
            self._found.add("account", {"name": account, **fields}, place, self._base)
        elif fields and fields != self._accounts[account]:
            self._wrong(place, f"account {account}: has another note before; use one")

    def _add_logins(self, account: str, fields: EntryFields, place: str) -> None:
        users = fields.pop("login", "").split()
        if fields and len(users) != 1:
            self._wrong(place, "a password is for one login; name that in its row")
            return
        for user in users:
            known = self._logins.setdefault((account, user), fields)
            if known is fields:
                login = {"user": user, "account": account, **fields}
                self._found.add("login", login, place, self._base)
            elif fields not in ({}, known):
                self._wrong(place, f"login {user}: has another password before; use one")

    def _wrong(self, place: str, text: str) -> None:
        self._found.problems.append(f"{place}: {text}")


def _taken(cells: EntryFields, keys: Iterable[str]) -> EntryFields:
    """Take cells out of a row."""
    return {key: cells.pop(key) for key in keys if key in cells}


def _cells_read(cells: EntryFields) -> Iterator[tuple[str, Any]]:
    """Yield the cells of a domain as values. Raises UnusableEntry."""
    for key, cell in cells.items():
        if key in _LISTS:
            yield key, cell.split()
        elif key in _FLAGS:
            yield key, _flag(key, cell)
        elif key in _NUMBERS:
            yield key, _read(key, cell, _count)
        else:
            yield key, cell


def _flag(key: str, cell: str) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False}
    if cell.lower() not in words:
        raise UnusableEntry(f"{key}: {cell!r} is neither yes nor no; write one")
    return words[cell.lower()]


# --- lines of the request


def request_lines(entries: Iterable[EntryFields]) -> Iterator[bytes]:
    """Yield the entries as lines of JSON. A long list follows its domain in several lines."""
    for entry in entries:
        addresses = entry.get("addresses")
        if not isinstance(addresses, list) or len(addresses) <= ADDRESSES_AT_ONCE:
            yield _line(entry)
            continue
        yield _line(entry | {"addresses": addresses[:ADDRESSES_AT_ONCE]})
        for start in range(ADDRESSES_AT_ONCE, len(addresses), ADDRESSES_AT_ONCE):
            part = addresses[start : start + ADDRESSES_AT_ONCE]
            more = {"thing": "addresses", "name": entry.get("name"), "addresses": part}
            yield _line(more | {"place": entry["place"]})


def _line(entry: EntryFields) -> bytes:
    return json.dumps(entry, default=str).encode() + b"\n"
