"""One plain sentence about a value of a request that is not acceptable. Pure.

It names the field and its fault, never the value: that may be a secret.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

_SCHEMA: Final = "see /v1/openapi.json"
_BODY: Final = "body"


class FieldFault(NamedTuple):
    """The thing with its cause, and the remedy."""

    detail: str
    remedy: str


def field_fault(error: Mapping[str, Any]) -> FieldFault:
    """Return the fault that one entry of pydantic's `errors()` is about."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    field = _field(error["loc"])
    if kind in _FIXED:
        return FieldFault(_FIXED[kind].detail.format(field=field), _FIXED[kind].remedy)
    if kind == "value_error":
        text = str(context.get("error") or error["msg"]).removeprefix("Value error, ")
        return FieldFault(f"{field}: {text}", _SCHEMA)
    if field == _BODY and kind in _OBJECT:
        return _NO_OBJECT
    must = _MUSTS.get(kind)
    if must is not None:
        return FieldFault(f"{field}: must be {must(context)}", f"send another value; {_SCHEMA}")
    return FieldFault(f"{field}: has a value of a wrong form", _SCHEMA)


def _field(place: tuple[str | int, ...]) -> str:
    """Return the name of a field: `kinds`, also where one item of it is wrong."""
    names = [str(part) for part in place[1:] if not isinstance(part, int)]
    return ".".join(names) or (_BODY if place[:1] == (_BODY,) else "request")


def _said(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _context: text


def _filled(text: str) -> Callable[[Mapping[str, Any]], str]:
    return text.format_map


def _items(words: str, limit: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda context: f"a list of {words} {context[limit]} items"


_FIXED: Final = {
    "missing": FieldFault("{field}: is missing", f"add it to the request; {_SCHEMA}"),
    "extra_forbidden": FieldFault(
        "{field}: this request has no such field", f"leave it out, or {_SCHEMA} for all fields"
    ),
    "json_invalid": FieldFault("body: is not valid JSON", "send a JSON object in UTF-8"),
}
_NO_OBJECT: Final = FieldFault(
    "body: must be a JSON object", "send one, with Content-Type: application/json"
)
_OBJECT: Final = frozenset({"model_attributes_type", "model_type", "dict_type"})
_MUSTS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    **dict.fromkeys(("string_type", "string_sub_type"), _said("text")),
    "string_unicode": _said("text of whole characters"),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _said("a whole number")
    ),
    **dict.fromkeys(("float_type", "float_parsing"), _said("a number")),
    "finite_number": _said("a finite number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), _said("true or false")),
    **dict.fromkeys(("list_type", "tuple_type", "set_type"), _said("a list")),
    **dict.fromkeys(_OBJECT, _said("a JSON object")),
    "none_required": _said("null or left out"),
    "enum": _filled("one of {expected}"),
    "literal_error": _filled("one of {expected}"),
    "greater_than": _filled("more than {gt}"),
    "greater_than_equal": _filled("at least {ge}"),
    "less_than": _filled("less than {lt}"),
    "less_than_equal": _filled("at most {le}"),
    "string_too_short": _filled("text of at least {min_length} characters"),
    "string_too_long": _filled("text of at most {max_length} characters"),
    "string_pattern_mismatch": _filled("text of the form {pattern}"),
    "too_short": _items("at least", "min_length"),
    "too_long": _items("at most", "max_length"),
}
