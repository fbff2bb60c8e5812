"""Settings that take one value or a list."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from restante.config.one_or_more import ONE_OR_MORE, read_plain_or_json


class Settings(BaseModel):
    """One setting of the kind."""

    files: Annotated[tuple[str, ...], ONE_OR_MORE]


@pytest.mark.parametrize(
    ("value", "files"), [("a", ("a",)), (["a", "b"], ("a", "b")), (("a",), ("a",)), ([], ())]
)
def test_one_value_is_a_list_of_one(value: Any, files: tuple[str, ...]) -> None:
    assert Settings(files=value).files == files


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.pem", "a.pem"),
        ('["a.pem", "b.pem"]', ["a.pem", "b.pem"]),
        ("[a.pem", "[a.pem"),
        ("5", "5"),
        ("true", "true"),
        ('"a.pem"', '"a.pem"'),
        ('{"a": 1}', '{"a": 1}'),
        ("", ""),
    ],
)
def test_only_a_json_list_in_the_environment_is_a_list(text: str, value: Any) -> None:
    assert read_plain_or_json(text) == value
