"""Turns: so many at once, in order, and none lost when somebody leaves the queue."""

import asyncio

from restante.delivery.turns import Turns


def test_turns_come_in_order_and_those_who_leave_lose_nobody_theirs() -> None:
    async def main() -> list[str]:
        turns, log, leave = Turns(lambda: 1), list[str](), asyncio.Event()

        async def visit(name: str) -> None:
            async with turns:
                log.append(name)
                await leave.wait()

        visits = {name: asyncio.ensure_future(visit(name)) for name in "abcd"}
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert log == ["a"]
        visits["b"].cancel()
        leave.set()
        await asyncio.wait(visits.values())
        return log

    assert asyncio.run(main()) == ["a", "c", "d"]


def test_a_turn_that_came_too_late_is_passed_on() -> None:
    async def main() -> None:
        turns = Turns(lambda: 1)
        await turns.__aenter__()
        late = asyncio.ensure_future(turns.__aenter__())
        await asyncio.sleep(0)
        await turns.__aexit__(None, None, None)  # the turn is late's now
        late.cancel()
        await asyncio.wait([late])
        async with asyncio.timeout(5):
            await turns.__aenter__()

    asyncio.run(main())


def test_a_limit_that_is_raised_lets_more_in_at_the_next_change() -> None:
    async def main() -> None:
        limit = 1
        turns = Turns(lambda: limit)
        await turns.__aenter__()
        waiting = [asyncio.ensure_future(turns.__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        limit = 3
        await turns.__aexit__(None, None, None)
        await asyncio.wait(waiting)

    asyncio.run(main())
