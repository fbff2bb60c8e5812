"""FairSlots: so many at once, fairly, and none lost when somebody leaves the queue."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from restante.background.fair_slots import FairSlots


def slots(limit: Callable[[], int] | int, account_limit: int = 9) -> FairSlots:
    return FairSlots(limit if callable(limit) else lambda: limit, lambda: account_limit)


class Visits:
    """Tasks that wait for a turn, keep it until told to leave, and are noted as they get it."""

    def __init__(self, slots: FairSlots) -> None:
        self.log: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = slots
        self._leave: dict[str, asyncio.Event] = {}

    async def come(self, *names: str) -> None:
        """The first letter is the account."""
        for name in names:
            self._leave[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._visit(name))
        await settled()

    async def leave(self, *names: str) -> None:
        for name in names:
            self._leave[name].set()
        await settled()

    async def _visit(self, name: str) -> None:
        async with self._slots.slot(name[0]):
            self.log.append(name)
            await self._leave[name].wait()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def played(slots: FairSlots, scene: Callable[[Visits], Coroutine[Any, Any, None]]) -> list[str]:
    async def main() -> list[str]:
        visits = Visits(slots)
        await scene(visits)
        for task in visits.tasks.values():
            task.cancel()
        await asyncio.wait(visits.tasks.values())
        return visits.log

    return asyncio.run(main())


def test_turns_come_in_order_and_those_who_leave_lose_nobody_theirs() -> None:
    async def scene(visits: Visits) -> None:
        await visits.come("a1", "a2", "a3", "a4")
        visits.tasks["a2"].cancel()
        await visits.leave("a1")
        await visits.leave("a3")

    assert played(slots(1), scene) == ["a1", "a3", "a4"]


def test_the_holder_of_the_fewest_places_comes_first() -> None:
    """Another account's first request waits for one slot only, however many of one account wait."""

    async def scene(visits: Visits) -> None:
        await visits.come(*(f"a{number}" for number in range(100)))
        await visits.come("b1", "b2", "c1")
        await visits.leave("a0")
        await visits.leave("a1")
        await visits.leave("b1")

    assert played(slots(3), scene) == ["a0", "a1", "a2", "b1", "c1", "b2"]


def test_an_account_never_has_more_than_its_share() -> None:
    async def scene(visits: Visits) -> None:
        await visits.come("a1", "a2", "a3", "b1")
        assert visits.log == ["a1", "a2", "b1"]
        await visits.leave("b1")
        assert visits.log == ["a1", "a2", "b1"]
        await visits.leave("a2")

    assert played(slots(9, account_limit=2), scene) == ["a1", "a2", "b1", "a3"]


def test_a_turn_that_came_too_late_is_passed_on() -> None:
    async def scene(visits: Visits) -> None:
        await visits.come("a1", "a2", "a3")
        visits._leave["a1"].set()
        await asyncio.sleep(0)
        visits.tasks["a2"].cancel()  # perhaps it has been handed its turn, and has not run
        await settled()

    assert played(slots(1), scene) == ["a1", "a3"]


def test_a_limit_that_is_raised_lets_more_in_at_the_next_change() -> None:
    limit = [1]

    async def scene(visits: Visits) -> None:
        await visits.come("a1", "a2", "a3", "a4")
        limit[0] = 3
        await visits.leave("a1")

    assert played(slots(lambda: limit[0]), scene) == ["a1", "a2", "a3", "a4"]


def test_accounts_with_as_few_slots_follow_one_another() -> None:
    """More accounts than turns: none of them waits for another's last."""

    async def scene(visits: Visits) -> None:
        await visits.come("a1", "a2", "a3", "b1", "b2", "c1")
        for name in ("a1", "a2", "b1", "c1", "a3"):
            await visits.leave(name)

    assert played(slots(1), scene) == ["a1", "a2", "b1", "c1", "a3", "b2"]
