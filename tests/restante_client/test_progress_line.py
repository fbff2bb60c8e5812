"""A progress bar."""

from io import StringIO

from restante_client.progress_line import ProgressLine, bar_line


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar() -> None:
    assert bar_line("a.example", 50, 100, 12.4) == (
        "a.example [###############...............] 50/100  12/s"
    )
    assert bar_line("a", 0, 0, 0).endswith("] 0/0")
    assert bar_line("a", 5, 2, 0).count("#") == 30


def test_it_is_drawn_in_place_and_removed() -> None:
    stream = Terminal()
    bar = ProgressLine(stream)
    bar.show("x" * 200, 1, 2)
    bar.clear()
    assert stream.getvalue().startswith("\r\x1b[Kxxx")
    assert "\n" not in stream.getvalue()
    assert len(stream.getvalue()) < 100


def test_a_file_gets_nothing() -> None:
    stream = StringIO()
    bar = ProgressLine(stream)
    bar.show("a", 1, 2)
    bar.clear()
    assert stream.getvalue() == ""
