"""A recording of a terminal: the sequences that a screen obeys, and the picture of it."""

from xml.etree import ElementTree as ET

import pytest

from tools.terminal_svg import Screen, Shown, as_svg


def text_of(screen: Screen) -> list[str]:
    return ["".join(cell.character for cell in row).rstrip() for row in screen.lines]


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        ("one\r\ntwo", ["one", "two", ""]),
        ("\x1b[?1049h\x1b[?25lone", ["one", "", ""]),
        ("one\x1b[Htwo", ["two", "", ""]),
        ("\x1b[2;4Hx", ["", "   x", ""]),
        ("one\r\ntwo\x1b[Ax", ["onex", "two", ""]),
        ("one\x1b[2J", ["", "", ""]),
        ("one\rt\x1b[K", ["t", "", ""]),
        ("one\x1b[2K", ["", "", ""]),
        ("123456789", ["123456", "", ""]),
        ("1\n\n\n\n2", ["1", "", " 2"]),
        ("\x1b[31;1mred\x1b[0m", ["red", "", ""]),
    ],
)
def test_a_screen_obeys_what_programs_write(output: str, rows: list[str]) -> None:
    screen = Screen(6, 3)
    screen.feed(output)
    assert text_of(screen) == rows


def test_bold_text_is_told_apart() -> None:
    screen = Screen(6, 1)
    screen.feed("a\x1b[1mb\x1b[22mc\x1b[1md\x1b[me")
    assert [cell.is_bold for cell in screen.lines[0]] == [False, True, False, True, False, False]


def screens(*texts: str) -> list[Shown]:
    shown = []
    for second, text in enumerate(texts):
        screen = Screen(20, 2)
        screen.feed(text)
        shown.append(Shown(float(second), screen.lines))
    return shown


def test_the_picture_has_a_group_for_each_screen_and_escapes_its_text() -> None:
    picture = ET.fromstring(as_svg("top <1>", screens("a < b", "\x1b[1mx  y", "c")))
    space = "{http://www.w3.org/2000/svg}"
    groups = picture.findall(f"{space}g")
    assert [[text.text for text in group] for group in groups] == [["a < b"], ["x", "y"], ["c"]]
    assert groups[1][0].get("class") == "b"
    assert picture.findtext(f"{space}title") == "top <1>"


def test_each_screen_is_shown_until_the_next_begins() -> None:
    picture = as_svg("top", screens("a", "b"))
    assert "k0 { 0.00% { visibility: visible } 25.00% { visibility: hidden } }" in picture
    assert "0% { visibility: hidden } 25.00% { visibility: visible } 100.00%" in picture
    assert "prefers-color-scheme: dark" in picture
    assert "prefers-reduced-motion" in picture


def test_nothing_recorded_is_an_error() -> None:
    with pytest.raises(ValueError, match="no screen was recorded"):
        as_svg("top", [])
