import re

import pytest
import typer

from restante.cli.display import Column, human_size, human_time, number_column, show_record, show_table, text_column
from restante.cli.options import octets, seconds

NAME = text_column("NAME", "name")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (4096, "4.0 KiB"), (52_428_800, "50.0 MiB"), (3 * 1024**5, "3072.0 TiB")],
)
def test_sizes_are_spelled_in_the_unit_that_fits(size: int, text: str) -> None:
    assert human_size(size) == text


def test_times_are_spelled_to_the_second() -> None:
    assert human_time("2025-11-21T20:35:00.123456Z") == "2025-11-21 20:35:00Z"
    assert human_time(None) == ""


def test_columns_are_aligned_and_nothing_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "a" * 200, "count": 5}, {"name": "b", "count": 12345}]
    show_table(rows, [text_column("NAME", "name"), number_column("COUNT", "count"), Column("LAST", lambda _: "\n")])
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"{'NAME':200}  COUNT  LAST"
    assert second == f"{'a' * 200}      5  \\n"
    assert third == f"{'b':200}  12345  \\n"


def test_on_a_narrow_terminal_what_a_line_is_about_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    columns = [NAME, *(text_column("A TITLE", "text") for _ in range(4))]
    show_table([{"name": "mail.alpha.example", "text": "words_of_this_length"}], columns)
    lines = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()
    assert any("mail.alpha.example" in line for line in lines)
    assert max(map(len, lines)) == 60


def test_a_record_has_a_line_for_each_item(capsys: pytest.CaptureFixture[str]) -> None:
    show_record([("name", "x"), ("allow", ["a", "b"]), ("none", [])])
    assert capsys.readouterr().out == "name   x\nallow  a\nallow  b\nnone\n"


def test_ages_and_sizes_are_read() -> None:
    assert [seconds(text) for text in ("90s", "2m", "3h", "2d", "1w")] == [90, 120, 10800, 172800, 604800]
    assert [octets(text) for text in ("5", "5K", "5m", "1G")] == [5, 5120, 5_242_880, 1_073_741_824]


@pytest.mark.parametrize("text", ["", "3", "h", "-1d", "1.5h"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(text)
