"""Words for machines, and their texts for people."""

import json
import pickle

import pytest
from pydantic import TypeAdapter

from restante.stable_word import StableWord


class Weather(StableWord):
    """Words of a test."""

    FINE = "fine"
    RAIN_AHEAD = "rain-ahead"
    WIND = "high-wind", "the wind is high"


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (Weather.FINE, "fine"),
        (Weather.RAIN_AHEAD, "rain ahead"),
        (Weather.WIND, "the wind is high"),
    ],
)
def test_people_read_a_text_and_machines_a_word(word: Weather, text: str) -> None:
    assert word.text == text
    assert Weather.text_of(word.value) == text


def test_the_word_is_the_value_everywhere() -> None:
    assert [str(one) for one in Weather] == ["fine", "rain-ahead", "high-wind"]
    assert Weather("high-wind") is Weather.WIND
    assert json.dumps(Weather.WIND) == '"high-wind"'
    assert pickle.loads(pickle.dumps(Weather.WIND)) is Weather.WIND
    assert TypeAdapter(Weather).json_schema()["enum"] == ["fine", "rain-ahead", "high-wind"]


def test_a_word_of_a_newer_server_is_readable() -> None:
    assert Weather.text_of("black-ice") == "black ice"
    assert Weather.text_of("") == ""
