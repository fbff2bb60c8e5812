"""The end of a command: its exit code, and one line on standard error for each error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.admin.admin_error import ErrorKind
from restante.cli.failures import BY_KIND, Exit, Failure, complain, printable, warn


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
