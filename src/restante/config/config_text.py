"""Write a Config as TOML, with defaults, file and environment applied. No setting is secret."""

import json
from collections.abc import Iterator
from typing import Any

from restante.config.schema import Config


def as_toml(config: Config) -> str:
    """Return TOML that reads back as the same configuration."""
    values = config.model_dump(mode="json", exclude_none=True)
    plain = {key: value for key, value in values.items() if not _is_table(value)}
    lines = [*_assignments(plain)]
    for key, value in values.items():
        if _is_table(value):
            lines += _tables(key, value)
    return "\n".join(lines)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    )


def _tables(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from ("", f"[{key}]", *_assignments(value))
    else:
        for item in value:
            yield from ("", f"[[{key}]]", *_assignments(item))


def _assignments(values: dict[str, Any]) -> Iterator[str]:
    """Yield scalars and lists of them."""
    return (f"{key} = {_toml(value)}" for key, value in values.items())


def _toml(value: Any) -> str:
    """Spell a value. JSON is valid TOML but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
