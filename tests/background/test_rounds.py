"""Rounds of work in the background."""

import asyncio
from collections.abc import Callable

import pytest

from restante.background.rounds import AFTER_FAILURE, Rounds
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import WorkWord
from tests.log_lines import Lines


class Played:
    """Plays rounds; each wait is noted, and ended at once."""

    def __init__(self, *ends: float | Exception, after_failure: float = AFTER_FAILURE) -> None:
        self.ends = list(ends)
        self.waits: list[tuple[str, float]] = []
        self.log = Lines()
        self.log.takes_defects = True
        self.rounds = Rounds(self.log, WorkWord.REPORT, self.wait, after_failure=after_failure)
        self.on_wait: Callable[[], None] = lambda: None

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        name = "woken" if event is self.rounds._woken else "closing"
        self.waits.append((name, seconds))
        self.on_wait()

    async def take_round(self) -> float:
        end = self.ends.pop(0)
        if not self.ends:
            self.rounds.close()
        if isinstance(end, Exception):
            raise end
        return end


def played(*ends: float | Exception, apart: float = 0.0) -> Played:
    play = Played(*ends)
    asyncio.run(play.rounds.run_rounds(play.take_round, apart=apart))
    return play


def test_after_a_round_its_pause_follows_unless_it_is_woken() -> None:
    assert played(7.0, 8.0, 9.0).waits == [("woken", 7.0), ("woken", 8.0)]


def test_a_loop_that_tries_again_soon_logs_only_the_first_failure_in_a_row() -> None:
    away = StoreError("away")
    play = Played(away, away, 8.0, away, 9.0, after_failure=1.0)
    asyncio.run(play.rounds.run_rounds(play.take_round))
    assert play.waits == [("closing", 1.0)] * 2 + [("woken", 8.0), ("closing", 1.0)]
    assert len(play.log.of(StoreFailed)) == 2
    play = played(away, away, 9.0)
    assert len(play.log.of(StoreFailed)) == 2  # half a minute apart


def test_rounds_are_kept_apart_whatever_wakes_them() -> None:
    play = played(7.0, 8.0, apart=0.25)
    assert play.waits == [("closing", 0.25), ("woken", 7.0), ("closing", 0.25)]


@pytest.mark.parametrize(
    ("error", "event"), [(StoreError("full"), StoreFailed), (ValueError("ours"), InternalError)]
)
def test_a_failure_ends_its_round_alone_and_only_close_cuts_the_pause(
    error: Exception, event: type[StoreFailed | InternalError]
) -> None:
    play = played(error, 8.0, 9.0)
    assert play.waits == [("closing", AFTER_FAILURE), ("woken", 8.0)]
    [logged] = play.log.of(event)
    assert logged["error"] is error
    assert logged["doing"] == "report"


def test_news_during_a_round_starts_the_next_one_at_once() -> None:
    async def main() -> None:
        rounds = Rounds(Lines(), WorkWord.REPORT)
        done: list[int] = []

        async def take_round() -> float:
            done.append(1)
            if len(done) == 3:
                rounds.close()
            else:
                rounds.wake()
            return 3600.0

        await rounds.run_rounds(take_round)
        assert len(done) == 3

    asyncio.run(main())


def test_closed_before_the_first_round_there_is_none() -> None:
    play = Played(1.0)
    play.rounds.close()
    asyncio.run(play.rounds.run_rounds(play.take_round))
    assert play.ends == [1.0]
