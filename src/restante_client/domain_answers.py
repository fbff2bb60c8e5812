"""Answers of the API about the check of a domain and the lines for a primary, field by field.

With a field of another type, an answer counts as none of this API. So no later code meets a value
of another type, however strange the answer is.
"""

from __future__ import annotations

from typing import Any, Dict, List  # Python 3.8 has no dict[…] at run time

JsonValue = Dict[str, Any]
_ROW = ("check", "title", "verdict", "evidence", "remedy", "snippet")
_PART = ("place", "text")
_MOST = 200  # rows, or parts, of one answer


def read_check(value: object) -> JsonValue | None:
    """Return the check of a domain; None if the value is none."""
    if not isinstance(value, dict):
        return None
    rows = _texts_of(value.get("rows"), _ROW)
    at = value.get("at")
    if not rows or not isinstance(at, str):
        return None
    return {"at": at, "rows": rows}


def read_snippet(value: object) -> JsonValue | None:
    """Return the lines for one program, of a list with one item; None if the value is none."""
    if not (isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)):
        return None
    parts = _texts_of(value[0].get("parts"), _PART)
    title, danger = value[0].get("title"), value[0].get("danger")
    if not parts or not isinstance(title, str) or not isinstance(danger, str):
        return None
    is_tried = value[0].get("is_tried") is True
    return {"title": title, "parts": parts, "danger": danger, "is_tried": is_tried}


def _texts_of(value: object, names: tuple[str, ...]) -> List[JsonValue] | None:
    """Return records of texts; None if one of them is another thing."""
    if not isinstance(value, list) or len(value) > _MOST:
        return None
    found = []
    for one in value:
        if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in names):
            return None
        found.append({name: one[name] for name in names})
    return found
