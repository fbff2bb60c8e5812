"""Options that many commands share."""

import pytest
import typer

from restante.cli.options import octets, seconds


def test_ages_and_sizes_are_read() -> None:
    assert [seconds(text) for text in ("90s", "2m", "3h", "2d", "1w")] == [
        90,
        120,
        10800,
        172800,
        604800,
    ]
    assert [octets(text) for text in ("5", "5K", "5m", "1G")] == [5, 5120, 5_242_880, 1_073_741_824]


@pytest.mark.parametrize("text", ["", "3", "h", "-1d", "1.5h"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)
