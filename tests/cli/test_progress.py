"""Progress is shown to a terminal and to nobody else."""

import io
import threading
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from restante.cli.progress import SLOW_SECONDS, late, progress, waiting


class Terminal(io.StringIO):
    """Standard error on a terminal."""

    def isatty(self) -> bool:
        return True


def test_where_no_terminal_is_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("counting", 10) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("total", "shown"), [(10, "3/10"), (None, "3")])
def test_a_terminal_shows_what_is_done_and_how_far(
    monkeypatch: pytest.MonkeyPatch, total: int | None, shown: str
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with progress("counting", total) as advance:
        advance(1)
        advance(2)
    assert "counting" in terminal.getvalue()
    assert shown in terminal.getvalue()


def test_an_error_inside_goes_on_and_the_bar_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    with pytest.raises(ValueError, match="inside"), progress("counting"):
        raise ValueError("inside")


def test_a_wait_shows_its_seconds_to_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with waiting("checking"):
        pass
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with waiting("checking"):
        pass
    assert "checking" in terminal.getvalue()
    assert "0:00:00" in terminal.getvalue()


class ImmediateTimer:
    """A timer whose time has come at once, or never."""

    is_due = True

    def __init__(self, seconds: float, work: Callable[[], None]) -> None:
        assert seconds == SLOW_SECONDS
        self.daemon = False
        self._work = work

    def start(self) -> None:
        if self.is_due:
            self._work()

    def cancel(self) -> None:
        if not self.is_due:
            self._work()  # it came in the last moment


@pytest.mark.parametrize(("is_due", "others", "is_seen"), [
    (True, False, True), (False, False, False), (True, True, False),
])  # fmt: skip
def test_only_an_answer_that_is_late_shows_its_seconds(
    monkeypatch: pytest.MonkeyPatch, *, is_due: bool, others: bool, is_seen: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(threading, "Timer", ImmediateTimer)
    monkeypatch.setattr(ImmediateTimer, "is_due", is_due)
    with waiting("outer") if others else nullcontext(), late("inner"):
        pass
    assert ("inner" in terminal.getvalue()) == is_seen
    assert ("outer" in terminal.getvalue()) == others


def test_where_no_terminal_is_no_timer_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(threading, "Timer")
    with late("waiting"):
        pass
