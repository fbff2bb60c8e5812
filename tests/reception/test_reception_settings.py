"""The settings of reception: sizes with units, and their bounds."""

from typing import Any

import pytest
from pydantic import ValidationError

from restante.reception.reception_settings import MEBIBYTE, ReceptionSettings


@pytest.mark.parametrize(
    ("value", "octets"), [("50M", 50 * MEBIBYTE), ("64 k", 65536), (70000, 70000), ("1g", 2**30)]
)
def test_a_size_is_a_number_or_a_text(value: Any, octets: int) -> None:
    assert ReceptionSettings(message_size_limit=value).message_size_limit == octets


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("message_size_limit", "50X"),
        ("message_size_limit", "63K"),
        ("message_size_limit", 1.5),
        ("message_size_limit", None),
        ("recipients_limit", 99),  # RFC 5321 §4.5.3.1.8
        ("octets_in_flight_limit", "1K"),
        ("disk_reserve", -1),
        ("command_timeout", 0),
        ("failures_until_refusal", 1),
        ("bare_newlines", "keep"),
        ("no_setting", 1),
    ],
)
def test_a_value_out_of_bounds_is_refused(setting: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=setting):
        ReceptionSettings.model_validate({setting: value})


def test_defaults_are_within_the_bounds() -> None:
    defaults = ReceptionSettings()
    assert ReceptionSettings.model_validate(defaults.model_dump()) == defaults
    assert defaults.unauthenticated_limit < defaults.connections_limit
