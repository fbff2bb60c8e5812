"""Options that many commands share."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import pytest
import typer

from restante.cli.options import REQUIRED, parse_octets, past_moment, seconds, with_options


def test_ages_and_sizes_are_read() -> None:
    assert [seconds(text) for text in ("90s", "2m", "3h", "2d", "1w")] == [
        90,
        120,
        10800,
        172800,
        604800,
    ]
    assert [parse_octets(text) for text in ("5", "5K", "5m", "1G")] == [
        5,
        5120,
        5_242_880,
        1_073_741_824,
    ]


@pytest.mark.parametrize("text", ["", "3", "h", "-1d", "1.5h"])
def test_an_invalid_age_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)


def test_a_past_time_is_an_age_or_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    assert past_moment("--since", "2h") == 1_000_000.0 - 7200
    assert past_moment("--since", "1970-01-02") == 86400.0
    assert past_moment("--since", "1970-01-02T01:00+01:00") == 86400.0
    with pytest.raises(typer.BadParameter, match="--since: 'soon' is not a time"):
        past_moment("--since", "soon")


def test_options_stand_in_place_of_one_parameter() -> None:
    def command(name: str, *, chosen: Mapping[str, Any], is_all: bool = False) -> int:
        seen.append((name, chosen, is_all))
        return 65

    seen: list[object] = []
    shown = with_options(command, "chosen", {"first": int, "second": str | None}, dict)
    assert [*inspect.signature(shown).parameters] == ["name", "first", "second", "is_all"]
    assert shown.__annotations__ == {
        "name": str,
        "first": int,
        "second": str | None,
        "is_all": bool,
        "return": int,
    }
    assert shown(name="a", first=1, second=None, is_all=True) == 65
    assert seen == [("a", {"first": 1, "second": None}, True)]


def test_a_flag_is_off_another_option_is_none_and_a_required_one_has_no_default() -> None:
    def command(*, chosen: object) -> object:
        return chosen

    kinds = {
        "flag": Annotated[bool, "a flag"],
        "either": Annotated[bool | None, "a flag and its opposite"],
        "text": Annotated[str | None, "a text"],
        "user": Annotated[str, "a name"],
        "seconds": Annotated[float, "a time"],
    }
    shown = with_options(command, "chosen", kinds, dict, {"user": REQUIRED, "seconds": 60.0})
    defaults = [one.default for one in inspect.signature(shown).parameters.values()]
    assert defaults == [False, None, None, inspect.Parameter.empty, 60.0]
