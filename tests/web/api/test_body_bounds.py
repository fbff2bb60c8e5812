"""No field of a request is without a bound: of characters, of items, of its number."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from restante.admin.configuration_entries import MODELS
from restante.transfer.import_arrival import ImportLabel
from restante.web.api.api_application import build_api
from tests.admin.admin_world import AdminWorld

SCHEMA = build_api(AdminWorld().context).openapi()
Fault = tuple[str, str]


def faults(
    form: dict[str, Any], place: str, named: dict[str, Any], seen: tuple[str, ...] = ()
) -> Iterator[Fault]:
    """Yield the fields without a bound, with their types."""
    if (reference := form.get("$ref")) is not None:
        if reference not in seen:
            found = named[reference.rpartition("/")[2]]
            yield from faults(found, place, named, (*seen, reference))
        return
    for part in (*form.get("anyOf", ()), *form.get("allOf", ()), *form.get("oneOf", ())):
        yield from faults(part, place, named, seen)
    is_bound = bool(form.keys() & _BOUNDS.get(form.get("type", ""), form.keys()))
    if form.get("type") in _BOUNDS and not is_bound and form.get("format") != "date-time":
        yield place, form["type"]
    if isinstance(inner := form.get("items"), dict):
        yield from faults(inner, f"{place}[]", named, seen)
    if isinstance(more := form.get("additionalProperties"), dict):
        if "maxProperties" not in form:
            yield place, "object"
        yield from faults(more, f"{place}{{}}", named, seen)
    for name, field in form.get("properties", {}).items():
        yield from faults(field, f"{place}.{name}", named, seen)


_CHOICE = {"enum", "const"}
_NUMBER = {"maximum", "exclusiveMaximum", *_CHOICE}
_BOUNDS: dict[str, set[str]] = {
    "string": {"maxLength", *_CHOICE},
    "array": {"maxItems"},
    "integer": _NUMBER,
    "number": _NUMBER,
}


def of_requests() -> Iterator[Fault]:
    named = SCHEMA["components"]["schemas"]
    for path, operations in SCHEMA["paths"].items():
        for method, operation in operations.items():
            place = f"{method} {path}"
            for one in operation.get("parameters", ()):
                # The head of a request bounds the texts in it.
                found = faults(one["schema"], f"{place}?{one['name']}", named)
                yield from (fault for fault in found if fault[1] != "string")
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                if media == "application/json":
                    yield from faults(content["schema"], place, named)


def test_every_field_of_a_request_has_a_bound() -> None:
    assert list(of_requests()) == []


@pytest.mark.parametrize("model", [*MODELS.values(), ImportLabel], ids=lambda one: one.__name__)
def test_every_field_of_a_streamed_record_has_a_bound(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    assert list(faults(schema, model.__name__, schema.get("$defs", {}))) == []


def test_the_walk_finds_what_has_no_bound() -> None:
    class Loose(BaseModel):
        text: str | None = None
        texts: tuple[str, ...] = ()
        number: int = 0
        by_name: dict[str, float] = {}

    found = set(faults(Loose.model_json_schema(), "L", {}))
    assert found == {
        ("L.text", "string"),
        ("L.texts", "array"),
        ("L.texts[]", "string"),
        ("L.number", "integer"),
        ("L.by_name", "object"),
        ("L.by_name{}", "number"),
    }
