"""A Config as TOML again: what is in force, after defaults, file and environment. No secret is a setting."""

import json
from collections.abc import Iterator
from typing import Any

from restante.config.schema import Config


def as_toml(config: Config) -> str:
    """Return a configuration that would be read back as this one."""
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
    """Spell scalars and lists of them; JSON is TOML there."""
    return (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
