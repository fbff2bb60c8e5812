"""JSON whose objects have each name once. Pure.

Of two values with one name, readers choose different ones (RFC 8259, section 4). So a check of one
program could be passed with a value that another never uses.
"""

import json
from typing import Any

_SHOWN = 40  # characters of a name


class NameTwice(ValueError):  # noqa: N818
    """An object has a name twice."""


def read_json(text: str | bytes) -> Any:
    """Return the value. Raises ValueError, NameTwice, RecursionError."""
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        first = next(name for name in names if names.count(name) > 1)
        raise NameTwice(f"has the field {first[:_SHOWN]!r} twice")
    return found
