"""The settings for milters."""

import pytest
from pydantic import ValidationError

from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.milter_settings import MilterPlace, MilterSettings, milter_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8891", MilterPlace("127.0.0.1", 8891)),
        ("[::1]:8891", MilterPlace("::1", 8891)),
        ("milter.example:8891", MilterPlace("milter.example", 8891)),
        ("unix:/run/x.sock", MilterPlace("", 0, "/run/x.sock")),
    ],
)
def test_a_milter_is_at_a_port_or_a_socket(text: str, place: MilterPlace) -> None:
    assert milter_place(MilterSettings(name="a", address=text).address) == place


@pytest.mark.parametrize("text", ["", "127.0.0.1", "127.0.0.1:0", ":1", "unix:x", "inet:1@x"])
def test_other_places_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValidationError) as failure:
        MilterSettings(name="a", address=text)
    [error] = failure.value.errors()
    assert "127.0.0.1:8891" in error["ctx"]["remedy"]


@pytest.mark.parametrize("name", ["", "A", "a b", "rspamd", "greylist", "x" * 31])
def test_names_are_plain_and_of_one_check_only(name: str) -> None:
    with pytest.raises(ValidationError):
        MilterSettings(name=name, address="127.0.0.1:1")


def test_each_milter_has_a_name_of_its_own() -> None:
    one = {"name": "a", "address": "127.0.0.1:1"}
    with pytest.raises(ValidationError, match="have one name twice"):
        HygieneSettings.model_validate({"milters": [one, one]})
