"""The settings of hygiene."""

import pytest
from pydantic import ValidationError

from restante.checks.hygiene_settings import MOST_LISTS, HygieneSettings


def test_nothing_is_looked_up_by_default() -> None:
    settings = HygieneSettings()
    assert (settings.weights, settings.greeting_pause) == ({}, 0.0)


def test_a_list_has_a_weight() -> None:
    settings = HygieneSettings(dnsbl=("Zen.example*3", "bl.example"))
    assert settings.weights == {"zen.example": 3, "bl.example": 1}


@pytest.mark.parametrize(
    "given",
    [
        {"dnsbl": ["zen.example*0"]},
        {"dnsbl": ["zen.example*-1"]},
        {"dnsbl": ["zen.example*x"]},
        {"dnsbl": ["zen.example*"]},
        {"dnsbl": ["zen.example*1001"]},
        {"dnsbl": ["a b"]},
        {"dnsbl": [""]},
        {"dnsbl": [f"a{number}.example" for number in range(MOST_LISTS + 1)]},
        {"dnsbl_threshold": 0},
        {"greeting_pause": 7},
        {"greeting_pause": -1},
        {"other": 1},
    ],
)
def test_a_wrong_value_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HygieneSettings.model_validate(given)
