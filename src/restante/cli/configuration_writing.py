"""Write the entries of an export as a file that `restante apply` takes: TOML, JSON, or CSV.

The same records always give the same octets.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from typing import Any, Final

from restante.cli.configuration_reading import NONE, THINGS, EntryFields
from restante.mail.csv_cells import marked
from restante.mail.octets import octets_text
from restante.tenancy.policy_settings import SETTINGS, SettingKind

_DAY: Final = 86400
_HOUR: Final = 3600
_MINUTE: Final = 60
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
_KINDS: Final = {one.name: one.kind for one in SETTINGS} | {"expires_at": SettingKind.TIME}
_FIRST_COLUMNS: Final = ("account", "domain", "login", "destination", "allow")


def joined(entries: Iterable[EntryFields]) -> list[EntryFields]:
    """Return entries with the addresses that follow a domain in it, as texts for people."""
    found: list[EntryFields] = []
    for entry in entries:
        if entry["thing"] == "addresses":
            found[-1].setdefault("addresses", []).extend(entry["addresses"])
        else:
            found.append({key: readable_value(key, value) for key, value in entry.items()})
    return found


def readable_value(key: str, value: Any) -> Any:
    """Return a size as 10G, an age as 30d, and 0 as `none`."""
    if _KINDS.get(key) is SettingKind.SIZE and isinstance(value, int):
        return octets_text(value) if value else NONE
    if _KINDS.get(key) is SettingKind.AGE:
        return _age_text(value) if value else NONE
    return value


def entries_as_toml(entries: Iterable[EntryFields]) -> str:
    """Return the text of a TOML file, with a table for each entry."""
    lines: list[str] = []
    for entry in entries:
        lines += ["", f"[[{entry['thing']}]]"]
        lines += [f"{key} = {_toml(key, value)}" for key, value in entry.items() if key != "thing"]
    return "\n".join(lines[1:]) + "\n" if lines else ""


def as_document(entries: Iterable[EntryFields]) -> dict[str, list[EntryFields]]:
    """Return an object with a list for each kind of thing."""
    found: dict[str, list[EntryFields]] = {thing: [] for thing in THINGS}
    for entry in entries:
        found[entry["thing"]].append({key: entry[key] for key in entry if key != "thing"})
    return found


def as_csv(entries: Iterable[EntryFields]) -> str:
    """Return a line for each domain, with its account and the logins of that."""
    rows, notes, logins = [], {}, dict[str, list[str]]()
    for entry in entries:
        match entry["thing"]:
            case "account":
                notes[entry["name"]] = entry.get("note", "")
            case "login":
                logins.setdefault(entry["account"], []).append(entry["user"])
            case "domain":
                rows.append(_row(entry, notes, logins))
    columns = [*_FIRST_COLUMNS]
    columns += sorted({key for row in rows for key in row if row[key]} - set(columns))
    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: marked(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _row(
    entry: EntryFields, notes: Mapping[str, str], logins: Mapping[str, list[str]]
) -> EntryFields:
    account = entry["account"]
    row = {key: _cell(value) for key, value in entry.items() if key not in ("thing", "name")}
    row |= {"domain": entry["name"], "login": " ".join(logins.get(account, ()))}
    return row | {"note": notes.get(account, "")}


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _toml(key: str, value: Any) -> str:
    """Spell a value. JSON is valid TOML but for DEL, which TOML wants escaped."""
    if _KINDS.get(key) is SettingKind.TIME and isinstance(value, str) and _TIME.match(value):
        return value
    spelled: Callable[[Any], str] = lambda one: json.dumps(one, ensure_ascii=False)  # noqa: E731
    return spelled(value).replace("\x7f", "\\u007f")


def _age_text(seconds: float) -> Any:
    for unit, letter in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (1, "s")):
        if seconds % unit == 0:
            return f"{int(seconds // unit)}{letter}"
    return seconds
