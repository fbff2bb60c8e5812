"""A value that is not acceptable is named by its field and its fault."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from restante.web.api.field_faults import field_fault


class Given(BaseModel):
    """A value of each kind."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(default="", max_length=3)
    whole: int = Field(default=1, ge=1, le=9)
    number: float = 1.0
    flag: bool = False
    color: Literal["red", "blue"] = "red"
    items: tuple[str, ...] = Field(default=("a",), min_length=1)
    checked: str = ""

    @field_validator("checked")
    @classmethod
    def _check(cls, value: str) -> str:
        if value:
            raise ValueError("not a name; write a.b")
        return value


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"text": 1}, "text: must be text"),
        ({"text": "long"}, "text: must be text of at most 3 characters"),
        ({"whole": "x"}, "whole: must be a whole number"),
        ({"whole": 0}, "whole: must be at least 1"),
        ({"whole": 10}, "whole: must be at most 9"),
        ({"number": "x"}, "number: must be a number"),
        ({"flag": "x"}, "flag: must be true or false"),
        ({"color": "x"}, "color: must be one of 'red' or 'blue'"),
        ({"items": "x"}, "items: must be a list"),
        ({"items": []}, "items: must be a list of at least 1 items"),
        ({"items": [1]}, "items: must be text"),
        ({"checked": "x"}, "checked: not a name; write a.b"),
        ({"hue": "x"}, "hue: this request has no such field"),
    ],
)
def test_a_fault_is_one_plain_sentence(given: dict[str, Any], detail: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Given.model_validate(given)
    first = dict(raised.value.errors()[0])
    first["loc"] = ("body", *raised.value.errors()[0]["loc"])
    fault = field_fault(first)
    assert fault.detail == detail
    assert fault.remedy


def test_a_missing_body_is_named() -> None:
    assert field_fault({"type": "missing", "loc": ("body",)}).detail == "body: is missing"


def test_a_body_of_another_type_is_told_what_to_be() -> None:
    fault = field_fault({"type": "model_attributes_type", "loc": ("body",)})
    assert fault.remedy == "send one, with Content-Type: application/json"


def test_a_fault_that_is_not_in_the_table_names_its_field() -> None:
    fault = field_fault({"type": "odd_one", "loc": ("query", "limit")})
    assert fault.detail == "limit: has a value of a wrong form"
