"""Write a Config as TOML, with defaults, file and environment applied. No setting is secret."""

import json
from collections.abc import Iterator
from typing import Any

from restante.config.schema import Config


def as_toml(config: Config) -> str:
    """Return TOML that reads back as the same configuration."""
    return "\n".join(_lines(config.model_dump(mode="json", exclude_none=True)))


def _lines(values: dict[str, Any], table: str = "") -> Iterator[str]:
    """Yield the lines of a table: first its own values, then the tables in it."""
    yield from _assignments({key: one for key, one in values.items() if not _is_table(one)})
    for key, value in values.items():
        name = f"{table}.{key}" if table else key
        if isinstance(value, dict):
            yield from ("", f"[{name}]", *_lines(value, name))
        elif _is_table(value):
            for item in value:
                yield from ("", f"[[{name}]]", *_lines(item, name))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def _assignments(values: dict[str, Any]) -> Iterator[str]:
    """Yield scalars and lists of them."""
    return (f"{key} = {_toml(value)}" for key, value in values.items())


def _toml(value: Any) -> str:
    """Spell a value. JSON is valid TOML but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
