"""Long work leaves the event loop to others again and again."""

import asyncio
from collections.abc import Iterator

from restante.background.loop_slices import TURN_SECONDS, in_slices, in_turns


def test_others_run_between_two_pieces() -> None:
    seen: list[object] = []

    async def work() -> None:
        async for piece in in_slices(range(5), 2):
            seen.append(tuple(piece))  # noqa: PERF401  at once, not at the end

    async def other() -> None:
        for _ in range(3):
            seen.append("other")
            await asyncio.sleep(0)

    async def story() -> None:
        await asyncio.gather(asyncio.create_task(work()), asyncio.create_task(other()))

    asyncio.run(story())
    assert seen == [(0, 1), "other", (2, 3), "other", (4,), "other"]


def test_nothing_is_no_piece() -> None:
    async def story() -> list[list[int]]:
        nothing: list[int] = []
        return [piece async for piece in in_slices(nothing, 2)]

    assert asyncio.run(story()) == []


def test_others_run_whenever_the_time_of_a_turn_is_over() -> None:
    now, turns, seen = 0.0, 0, []

    def items() -> Iterator[float]:
        nonlocal now
        for part in (0.4, 0.4, 0.4, 1.1, 0.4):
            now += part * TURN_SECONDS
            yield now

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def story() -> None:
        running = asyncio.create_task(others())
        async for _ in in_turns(items(), lambda: now):
            seen.append(turns)  # noqa: PERF401  at once, not at the end
        seen.append(turns)
        running.cancel()

    asyncio.run(story())
    assert seen == [0, 0, 0, 1, 2, 3]
