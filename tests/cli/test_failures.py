"""The end of a command: its exit code, and one line on standard error for each error."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.admin.admin_error import ErrorKind
from restante.cli.failures import (
    BY_KIND,
    Exit,
    Failure,
    complain,
    for_terminal,
    printable,
    warn,
)


def test_every_kind_of_refusal_has_an_exit_code_of_its_own_meaning() -> None:
    assert BY_KIND.keys() == set(ErrorKind)
    assert Exit.DONE not in BY_KIND.values()


def test_each_text_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    complain("account a: is not there; add it first", "two\nlines \x1b[31m")
    warn(["the list is empty"])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "restante: account a: is not there; add it first",
        r"restante: two\nlines \x1b[31m",
        "restante: warning: the list is empty",
    ]


def test_a_failure_has_its_code_and_all_its_texts() -> None:
    failure = Failure(Exit.CONFIGURATION, "one; correct it", "two; correct it")
    assert (failure.code, failure.texts) == (78, ("one; correct it", "two; correct it"))
    assert failure.args == failure.texts  # as a traceback shows it


@given(text=st.text())
def test_nothing_that_strangers_wrote_controls_the_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not text.isprintable() or shown == text


def test_no_value_is_an_empty_text() -> None:
    assert (printable(None), printable(0)) == ("", "0")


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


LONG = "restante: disk: " + "it is nearly full, so " * 8 + "make room"


def test_a_long_line_is_folded_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    first, *others = for_terminal(LONG, Terminal()).split("\n")
    assert len(others) > 1
    assert max(map(len, (first, *others))) <= 80
    assert all(line.startswith("  ") and line[2] != " " for line in others)
    assert " ".join([first, *(line.strip() for line in others)]) == LONG
    assert for_terminal(LONG, io.StringIO()) == LONG


@pytest.mark.parametrize(
    "line", ["short", "  indented, and short", "a" * 200, f"token: {'b' * 90}"]
)
def test_a_line_that_fits_or_has_a_word_to_copy_stays_whole(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert for_terminal(line, Terminal()) == line


def test_an_indented_line_keeps_its_indent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = for_terminal("    " + "word " * 30, Terminal()).split("\n")
    assert [len(line) - len(line.lstrip()) for line in lines] == [4, 6]


def test_errors_and_warnings_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    warn([LONG])
    assert max(map(len, terminal.getvalue().splitlines())) <= 80
