"""Values and listings as people read them."""

import pytest

from restante.cli.display import (
    Column,
    destination_words,
    drain_state_words,
    human_size,
    human_time,
    number_column,
    paths_text,
    show_listing,
    show_record,
    show_table,
    text_column,
)

NAME = text_column("NAME", "name")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (4096, "4.0 KiB"),
        (52_428_800, "50.0 MiB"),
        (3 * 1024**5, "3072.0 TiB"),
    ],
)
def test_sizes_are_spelled_in_the_unit_that_fits(size: int, text: str) -> None:
    assert human_size(size) == text


def test_times_are_spelled_to_the_second() -> None:
    assert human_time("2025-11-21T20:35:00.123456Z") == "2025-11-21 20:35:00Z"
    assert human_time(None) == ""


def test_a_listing_ends_with_how_many_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [NAME, number_column("COUNT", "count"), Column("LAST", lambda _: "\n")]
    show_listing([{"name": "a", "count": 12345}], columns, as_json=False, thing="thing")
    assert capsys.readouterr().out == "NAME  COUNT  LAST\na     12345  \\n\n\n1 thing\n"
    show_listing([], columns, as_json=False, thing="thing")
    assert capsys.readouterr().out == "0 things\n"


def test_a_table_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    columns = [NAME, *(text_column("A TITLE", "text") for _ in range(4))]
    show_table([{"name": "mail.alpha.example", "text": "words_of_this_length"}], columns)
    titles, *lines = capsys.readouterr().out.splitlines()
    assert titles.startswith("\x1b[1mNAME ")
    assert lines[0].startswith("mail.alpha.example")
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(("value", "begins"), [("1", "NAME"), ("", "\x1b[1mNAME")])
def test_a_terminal_gets_no_escape_sequence_if_no_color_is_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str, begins: str
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", value)
    show_table([{"name": "a"}], [NAME])
    assert capsys.readouterr().out.startswith(begins)


def test_of_many_recipients_the_first_is_named() -> None:
    assert paths_text(["a@b.example"]) == "a@b.example"
    assert paths_text(["a@b.example", "b@b.example", "c@b.example"]) == "a@b.example and 2 more"


def test_a_record_has_a_line_for_each_item(capsys: pytest.CaptureFixture[str]) -> None:
    show_record([("name", "x"), ("allow", ["a", "b"]), ("none", [])])
    assert capsys.readouterr().out == "name   x\nallow  a\nallow  b\nnone\n"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"state": "delivering", "way": "destination"}, "delivering"),
        ({"state": "delivering", "way": "turnaround"}, "delivering, by ATRN"),
        ({"state": "waiting-turn"}, "waiting its turn"),  # of an older server
    ],
)
def test_the_state_of_a_drain_says_whether_it_goes_by_atrn(row: dict[str, str], words: str) -> None:
    assert drain_state_words(row) == words


def test_a_domain_without_a_destination_is_shown_in_words() -> None:
    assert destination_words({"destination": "none"}) == "by ATRN only"
    assert destination_words({"destination": "none.example:25"}) == "none.example:25"
