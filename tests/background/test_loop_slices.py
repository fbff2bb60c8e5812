"""Long work leaves the event loop to others again and again."""

import asyncio

from restante.background.loop_slices import in_slices


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
