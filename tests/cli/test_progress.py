"""Progress is shown to a terminal and to nobody else."""

import io

import pytest

from restante.cli.progress import progress, waiting


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
