"""A progress bar."""

from io import StringIO

import pytest

from restante_client.progress_line import ProgressLine, ShownProgress, bar_line, local_time

LONG = "a-very-long-name-of-a-domain.mail.example"
NOON = "2026-11-30T12:00:00.123456+00:00"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar() -> None:
    assert bar_line(ShownProgress("a.example", 50, 100, 12.4)) == (
        "a.example [###############...............] 50/100  12/s"
    )
    assert bar_line(ShownProgress("a", 0, 0)).endswith("] 0/0")
    assert bar_line(ShownProgress("a", 5, 2)).count("#") == 30
    assert bar_line(ShownProgress("a", 1, 2, 3, NOON)).endswith(f"/s  eta {local_time(NOON)}")


@pytest.mark.parametrize("columns", range(30, 80))
def test_numbers_are_never_cut(columns: int) -> None:
    line = bar_line(ShownProgress(LONG, 500, 10_000, 12, NOON), columns)
    assert len(line) <= columns
    assert " 500/10,000" in line
    assert line.startswith("a-very-l")
    assert line.count("/s") <= 1
    assert columns < 39 or "eta" in line
    assert ("eta" in line) == (f"eta {local_time(NOON)}" in line)


@pytest.mark.parametrize("columns", [39, 79])
def test_while_nothing_moves_the_cause_is_shown(columns: int) -> None:
    trouble = "connection refused by 203.0.113.5, port 25, and also by its other addresses"
    line = bar_line(ShownProgress(LONG, 0, 5, 0, "", trouble, NOON), columns)
    assert len(line) == columns
    assert f" 0/5  next {local_time(NOON)}: conn" in line


def test_a_time_that_is_none_is_not_shown() -> None:
    assert local_time("soon") == local_time("") == local_time("0001-01-01T00:00:00+14:00") == ""
    assert local_time("2026-11-30T12:00:00Z") == local_time(NOON)


def test_it_is_drawn_in_place_and_removed() -> None:
    stream = Terminal()
    bar = ProgressLine(stream)
    bar.show(ShownProgress("x" * 200, 1, 2))
    bar.clear()
    assert stream.getvalue().startswith("\r\x1b[Kxxx")
    assert "\n" not in stream.getvalue()
    assert len(stream.getvalue()) < 100


def test_a_file_gets_nothing() -> None:
    stream = StringIO()
    bar = ProgressLine(stream)
    bar.show(ShownProgress("a", 1, 2))
    bar.clear()
    assert stream.getvalue() == ""
