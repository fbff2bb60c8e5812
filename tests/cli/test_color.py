"""Colors: which words have one, and when it is shown. The text is the same without them."""

import re
from io import StringIO

import pytest

from restante.cli.color import TextTone, painted, painted_first, shows_color, tone_of_cell, toned
from restante.cli.display import number_column, say, show_table, text_column
from restante.cli.failures import complain, complain_of_failure, warn
from restante.cli.table import ColumnHeading, lay_out
from restante.queue.recipient_status import RecipientMove, RecipientStatus
from restante.readiness.readiness_row import ReadinessVerdict

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
ROW = {"name": "not.example", "status": "held+refused, suspect", "refused": 2, "damaged": 0}
COLUMNS = (
    text_column("NAME", "name"),
    text_column("STATUS", "status"),
    number_column("REFUSED", "refused"),
    number_column("DAMAGED", "damaged"),
)


class Screen(StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about colors."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return monkeypatch


@pytest.mark.parametrize(
    ("given", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": ""}, True, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_the_environment_decides(
    plain: pytest.MonkeyPatch, given: dict[str, str], on_terminal: bool, in_pipe: bool
) -> None:
    for name, value in given.items():
        plain.setenv(name, value)
    assert (shows_color(Screen()), shows_color(StringIO())) == (on_terminal, in_pipe)


@pytest.mark.parametrize(
    ("title", "text", "tone"),
    [
        ("STATUS", "held", None),
        ("STATUS", "held+refused, suspect", TextTone.BAD),
        ("STATUS", "held, deferred in 2 drains", TextTone.WARNING),
        ("OUTCOME", "delivered", TextTone.GOOD),
        ("STATE", "waiting to retry", TextTone.WARNING),
        ("RESULT", "given up: sent by a stranger", TextTone.BAD),
        ("RESULT", "granted: refused is the word of a stranger", TextTone.GOOD),
        ("REFUSED", "3", TextTone.BAD),
        ("REFUSED", "0", None),
        ("UNCERTAIN", "1", TextTone.WARNING),
        ("DOMAIN", "refused.example", None),
    ],
)
def test_a_cell_has_the_tone_of_its_worst_word(
    title: str, text: str, tone: TextTone | None
) -> None:
    assert tone_of_cell(title, text) == tone


def test_states_that_need_an_operator_have_a_color() -> None:
    found = {word: tone_of_cell("STATUS", word) for word in (*RecipientStatus, *RecipientMove)}
    assert {word for word, tone in found.items() if tone is TextTone.BAD} >= {"refused", "damaged"}
    assert found["uncertain"] is TextTone.WARNING
    assert found["delivered"] is TextTone.GOOD
    verdicts = [tone_of_cell("STATE", verdict.text) for verdict in ReadinessVerdict]
    assert verdicts == [TextTone.GOOD, TextTone.WARNING, TextTone.WARNING, TextTone.BAD]


def test_only_basic_colors_are_used() -> None:
    assert {tone.value for tone in TextTone} <= set(range(31, 37))
    assert painted("x", TextTone.BAD) == "\x1b[31mx\x1b[0m"
    assert painted("x", None) == "x"


def test_only_the_first_such_part_is_colored() -> None:
    assert painted_first("warning: a warning", "warning", TextTone.WARNING) == (
        "\x1b[35mwarning\x1b[0m: a warning"
    )
    assert painted_first("text", "", TextTone.BAD) == "text"


def test_a_table_is_the_same_text_in_color(plain: pytest.MonkeyPatch) -> None:
    shown = {}
    for name, stream in (("colored", Screen()), ("plain", StringIO())):
        plain.setattr("sys.stdout", stream)
        show_table([ROW, {**ROW, "status": "held", "refused": 0}], COLUMNS)
        shown[name] = stream.getvalue()
    assert ESCAPES.sub("", shown["colored"]) == shown["plain"]
    titles, first, second = shown["colored"].splitlines()
    assert titles.startswith("\x1b[1mNAME")
    assert "not.example  \x1b[31mheld+refused, suspect\x1b[0m" in first
    assert first.endswith("\x1b[31m2\x1b[0m        0")
    assert "\x1b" not in second


def test_a_value_below_its_row_has_its_color_too() -> None:
    headings = [ColumnHeading("NAME"), ColumnHeading("STATUS")]
    rows = [["x" * 10, toned("refused, x", TextTone.BAD)]]
    assert lay_out(headings, rows, 22)[1:] == ["x" * 10 + "  \x1b[31mrefused, x\x1b[0m"]
    assert lay_out(headings, rows, 21)[1:] == ["x" * 10, "    status \x1b[31mrefused, x\x1b[0m"]
    assert lay_out(headings, [["x", toned("refused " * 9, TextTone.BAD)]], 30)[2:][0].isprintable()


def test_a_level_an_error_and_a_warning_are_colored(plain: pytest.MonkeyPatch) -> None:
    out, err = Screen(), Screen()
    plain.setattr("sys.stdout", out)
    plain.setattr("sys.stderr", err)
    say("mx2.example.net: CRITICAL", mark="CRITICAL")
    complain_of_failure("domain x: is not hosted here; restante: look")
    warn(["the disk is small"])
    complain("it is shown only once")
    assert out.getvalue() == "mx2.example.net: \x1b[31mCRITICAL\x1b[0m\n"
    assert err.getvalue().splitlines() == [
        "\x1b[31mrestante:\x1b[0m domain x: is not hosted here; restante: look",
        "restante: \x1b[35mwarning:\x1b[0m the disk is small",
        "restante: it is shown only once",
    ]


def test_text_of_a_stranger_brings_no_color(plain: pytest.MonkeyPatch) -> None:
    stream = Screen()
    plain.setattr("sys.stdout", stream)
    show_table([{"status": "\x1b[31m delivered"}], [text_column("STATUS", "status")])
    assert "\x1b[32m\\x1b[31m delivered\x1b[0m" in stream.getvalue()
