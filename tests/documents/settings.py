"""Put a document's settings into a file: `python -m tests.documents.settings FILE SETTINGS`.

A key replaces the file's value, and a table's keys replace those of the table. The file's listeners
of a service are replaced by those that the settings name for it. The result is written as a reader
would leave it who edits the file by hand, without the comments.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any


def merge(present: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the new settings in place."""
    merged = dict(present)
    for key, value in new.items():
        if isinstance(value, dict):
            merged[key] = {**present.get(key, {}), **value}
        elif key == "listen":
            services = {listener["service"] for listener in value}
            merged[key] = [one for one in present[key] if one["service"] not in services] + value
        else:
            merged[key] = value
    return merged


def as_toml(settings: dict[str, Any]) -> str:
    """Write plain values first, then tables, then arrays of tables."""
    lines = [f"{key} = {_value(value)}" for key, value in settings.items() if not _is_table(value)]
    for key, value in settings.items():
        for opening, table in _tables(key, value):
            lines += ["", opening, *(f"{name} = {_value(one)}" for name, one in table.items())]
    return "\n".join(lines) + "\n"


def _tables(key: str, value: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        inner = {name: one for name, one in value.items() if _is_table(one)}
        plain = {name: one for name, one in value.items() if name not in inner}
        within = [_tables(f"{key}.{name}", one) for name, one in inner.items()]
        return [(f"[{key}]", plain), *(table for tables in within for table in tables)]
    if _is_table(value):
        return [(f"[[{key}]]", table) for table in value]
    return []


def _is_table(value: Any) -> bool:
    is_array = isinstance(value, list) and value and isinstance(value[0], dict)
    return isinstance(value, dict) or bool(is_array)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # strings, numbers, booleans and lists are alike


if __name__ == "__main__":
    file, settings = Path(sys.argv[1]), Path(sys.argv[2])
    merged = merge(tomllib.loads(file.read_text()), tomllib.loads(settings.read_text()))
    file.write_text(as_toml(merged))
