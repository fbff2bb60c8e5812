"""The daily walk of a server: its rests, its share of a core, and its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import cast

import pytest

from restante.background.rounds import Rounds
from restante.store.scrubber import DAY, FIRST_AFTER, SHARE, Scrubber
from restante.store.store_care import ScrubSlice
from restante.store.store_errors import StoreError
from restante.store.upkeep_store import UpkeepStore
from restante.telemetry.events import StoreFailed, StoreScrubbed
from restante.telemetry.work_word import WorkWord
from tests.log_lines import Lines


class Walked:
    """A store whose walk has these slices."""

    def __init__(
        self, *slices: ScrubSlice, is_proven: bool = True, error: Exception | None = None
    ) -> None:
        self.slices, self.is_proven, self.error = slices, is_proven, error

    async def scrub(self) -> AsyncIterator[ScrubSlice]:
        for part in self.slices:
            yield part
        if self.error is not None:
            raise self.error


def run(store: Walked, end: Callable[[list[float]], bool]) -> tuple[list[float], Lines, Scrubber]:
    """Run until the rests taken satisfy `end`; return them, the log and the scrubber."""
    rests: list[float] = []
    log = Lines()
    clock = [0.0]

    async def wait(_event: asyncio.Event, seconds: float) -> None:
        await rest(seconds)

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        clock[0] += seconds
        if end(rests):
            raise asyncio.CancelledError

    async def main() -> Scrubber:
        scrubber = Scrubber(
            cast(UpkeepStore, store),
            log,
            lambda: 1000.0 + clock[0],
            lambda: clock[0],
            rest,
        )
        with suppress(asyncio.CancelledError):
            await Rounds(log, WorkWord.SCRUB, wait).run_rounds(scrubber.take_round)
        return scrubber

    return rests, log, asyncio.run(main())


def test_it_rests_as_long_as_keeps_it_below_its_share() -> None:
    rests, log, scrubber = run(
        Walked(ScrubSlice(2, 20, 1, 0.1, 1), ScrubSlice(3, 30, 0, 0.3)),
        lambda rests: len(rests) == 4,
    )
    first, *between, until_tomorrow = rests
    assert first == FIRST_AFTER
    assert between == pytest.approx([0.1 * (1 / SHARE - 1), 0.3 * (1 / SHARE - 1)])
    assert 0.4 / (0.4 + sum(between)) == pytest.approx(SHARE)
    assert sum(between) + until_tomorrow == pytest.approx(DAY)
    [line] = log.of(StoreScrubbed)
    assert (line["messages"], line["octets"], line["files"], line["damaged"]) == (5, 50, 1, 1)
    assert scrubber.last_ended_at == pytest.approx(1000.0 + FIRST_AFTER + sum(between))


def test_it_begins_at_once_where_the_start_did_not_prove_everything() -> None:
    rests, _, _ = run(Walked(is_proven=False), lambda rests: len(rests) == 1)
    assert rests == [DAY]


def test_a_walk_that_the_store_breaks_off_has_not_ended() -> None:
    rests, log, scrubber = run(
        Walked(ScrubSlice(1), error=StoreError("malformed")), lambda rests: len(rests) == 3
    )
    assert rests[0] == FIRST_AFTER
    assert scrubber.last_ended_at is None
    assert scrubber.walk is not None
    assert scrubber.walk.messages == 1
    assert log.of(StoreScrubbed) == []
    assert [line["doing"] for line in log.of(StoreFailed)] == ["scrub"]
