"""The way of the log's lines while its place takes none."""

from collections.abc import Sequence

import pytest

from restante.telemetry.events import Event, LogDiverted, LogRestored
from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import (
    RETRY_SECONDS,
    DivertingOutput,
    LinesUnwritten,
    StandardError,
)


def line(text: str) -> LogLine:
    return LogLine(text, "2026-11-30T08:00:00.000000Z", "info", "mail-held")


class Place:
    """A place that takes so many lines at each write."""

    def __init__(self) -> None:
        self.room = 99
        self.texts: list[str] = []
        self.tries = self.reopened = 0

    def write(self, lines: Sequence[LogLine]) -> None:
        self.tries += 1
        self.texts += [each.text for each in lines[: self.room]]
        if len(lines) > self.room:
            raise LinesUnwritten(OSError(28, "No space left on device"), lines[self.room :])

    def reopen(self) -> None:
        self.reopened += 1


class World:
    """An output on such a place, a clock, and the events."""

    def __init__(self) -> None:
        self.now = 100.0
        self.place = Place()
        self.events: list[Event] = []
        self.output = DivertingOutput(
            self.place, "/log", StandardError(), lambda: self.now, self.events.append
        )


def test_lines_go_to_standard_error_while_the_place_takes_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World()
    world.place.room = 1
    world.output.write([line("a"), line("b"), line("c")])
    assert world.place.texts == ["a"]
    assert capsys.readouterr().err == "b\nc\n"
    assert world.output.failure == "/log: No space left on device"
    [diverted] = world.events
    assert isinstance(diverted, LogDiverted)
    assert (diverted.place, diverted.level) == ("/log", "error")
    world.output.write([line("d")])
    assert (world.place.tries, capsys.readouterr().err) == (1, "d\n")


def test_the_place_is_tried_again_after_some_seconds_and_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World()
    world.place.room = 0
    world.output.write([line("a")])
    world.now += RETRY_SECONDS
    world.output.write([line("b")])
    assert (world.place.tries, len(world.events)) == (2, 1)
    assert capsys.readouterr().err == "a\nb\n"
    world.place.room = 9
    world.now += RETRY_SECONDS
    world.output.write([line("c")])
    assert world.place.texts == ["c"]
    assert capsys.readouterr().err == ""
    assert world.events[1:] == [LogRestored(place="/log")]
    assert world.output.failure == ""


def test_a_reload_tries_the_place_at_once() -> None:
    world = World()
    world.place.room = 0
    world.output.write([line("a")])
    world.place.room = 9
    world.output.reopen()
    world.output.write([line("b")])
    assert (world.place.texts, world.place.reopened) == (["b"], 1)


class Full:
    """A standard error on a full disk."""

    def write(self, _text: str) -> None:
        raise OSError(28, "No space left on device")


def test_a_standard_error_that_takes_nothing_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Full())
    StandardError().write([line("a")])
    StandardError(is_alone=False).write([line("a")])
    StandardError().reopen()
