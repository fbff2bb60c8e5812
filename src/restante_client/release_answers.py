"""Answers of the API about releases, checked field by field.

A field that is unknown, or whose value has another type, is left out. So no later code meets a
value of another type, however strange the answer is.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping  # Python 3.8 has no dict[…] at run time

JsonValue = Dict[str, Any]
_MOST = 10**15  # more is no count of messages


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _is_rate(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < _MOST  # type: ignore[operator]


_Fields = Mapping[str, Callable[[object], bool]]
_COUNTS: _Fields = dict.fromkeys(("delivered", "refused", "uncertain", "left"), _is_count)
_ANSWER: _Fields = {
    **dict.fromkeys(("id", "target", "result", "text", "reason"), _is_text),
    "pending": _is_count,
    "suspensions": _is_texts,
}
_DRAIN: _Fields = {
    **dict.fromkeys(("domain", "state", "last_error"), _is_text),
    **_COUNTS,
    **dict.fromkeys(("ended_at", "end", "next_attempt_at"), _is_text_or_none),
}
_RELEASE: _Fields = {
    **dict.fromkeys(("id", "at", "requested_by", "acted_from", "target", "account"), _is_text),
    **dict.fromkeys(("result", "text", "reason", "way", "state"), _is_text),
    **dict.fromkeys(("pending", "drains", "running"), _is_count),
    **_COUNTS,
    **dict.fromkeys(("ended_at", "eta"), _is_text_or_none),
    "ends": _is_texts,
    "rate": _is_rate,
}


def read_answers(value: object) -> List[JsonValue] | None:
    """Return the answer for each target; None if the value has none."""
    listed = value.get("results") if isinstance(value, dict) else value
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return None
    answers = [_checked(one, _ANSWER) for one in listed]
    is_whole = all(name in one for one in answers for name in ("target", "result", "text"))
    return answers if is_whole else None


def read_release(value: object) -> JsonValue | None:
    """Return the state of a release; None if the value has none."""
    if not isinstance(value, dict):
        return None
    release = _checked(value, _RELEASE)
    drains = value.get("drains_shown")
    if isinstance(drains, list):
        found = (_checked(one, _DRAIN) for one in drains if isinstance(one, dict))
        release["drains_shown"] = list(found)
    return release if "state" in release else None


def _checked(value: JsonValue, fields: _Fields) -> JsonValue:
    return {name: one for name, one in value.items() if name in fields and fields[name](one)}


def count_of(release: JsonValue, *names: str) -> int:
    """Return the sum of counts; one that is missing or no count is 0."""
    return sum(one for one in map(release.get, names) if type(one) is int and 0 <= one < _MOST)


def trouble_of(release: JsonValue) -> tuple[str, str]:
    """Return the last error of a drain that goes on, and the time of its next attempt.

    Both are empty if none has an error.
    """
    for drain in release.get("drains_shown", []):
        error = drain.get("last_error")
        if error and drain.get("state") != "ended":
            return error, drain.get("next_attempt_at") or ""
    return "", ""
