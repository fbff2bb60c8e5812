"""A blocked loop is reported once, with its time; the longest of the last minutes is shown."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from restante.telemetry.events import LoopStalled
from restante.telemetry.loop_lag import WINDOW_SECONDS, LoopLag
from tests.admin.admin_world import Lines


@dataclass
class Loop:
    """A loop whose timers fire as late as the script says; then it is over."""

    delays: Sequence[float]
    now: float = 1000.0
    log: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self._left = iter(self.delays)
        self.lag = LoopLag(self.log, lambda: self.now, self.sleep)

    async def sleep(self, seconds: float) -> None:
        delay = next(self._left, None)
        if delay is None:
            raise asyncio.CancelledError
        self.now += seconds + delay

    def run(self) -> LoopLag:
        try:
            asyncio.run(self.lag.run())
        except asyncio.CancelledError:
            return self.lag
        raise AssertionError("it measures until it is cancelled")


def test_a_stall_is_logged_with_its_seconds_and_a_short_delay_is_not() -> None:
    loop = Loop([0.0, 0.2, 5.4, 0.01])
    assert round(loop.run().longest(), 6) == 5.4
    assert loop.log.lines == [(LoopStalled, {"seconds": 5.4})]


def test_a_loop_that_keeps_time_has_no_lag() -> None:
    loop = Loop([0.0] * 10)
    assert loop.run().longest() < 1e-6
    assert loop.log.lines == []


def test_a_lag_is_shown_for_one_to_two_minutes() -> None:
    loop = Loop([0.125])
    lag = loop.run()
    assert round(lag.longest(), 6) == 0.125
    loop.now += WINDOW_SECONDS
    assert round(lag.longest(), 6) == 0.125, "the window before this one counts"
    loop.now += WINDOW_SECONDS
    assert lag.longest() == 0.0


def test_two_windows_without_a_look_forget_everything() -> None:
    loop = Loop([0.125])
    lag = loop.run()
    loop.now += 2 * WINDOW_SECONDS
    assert lag.longest() == 0.0
