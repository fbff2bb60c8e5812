"""Duties of one process: each name has a turn at a time, in the order of asking."""

import asyncio

import pytest

from restante.store.duty_locks import DutyLocks


def test_work_of_one_name_waits_its_turn_and_of_another_does_not() -> None:
    async def story() -> None:
        locks = DutyLocks()
        seen: list[str] = []

        async def work(name: str, label: str) -> None:
            async with locks.perform(name):
                seen.append(f"{label} begins")
                await asyncio.sleep(0)
                seen.append(f"{label} ends")

        await asyncio.gather(work("a", "one"), work("a", "two"), work("b", "other"))
        assert [one for one in seen if "other" not in one] == [
            "one begins",
            "one ends",
            "two begins",
            "two ends",
        ]
        assert seen.index("other begins") < seen.index("one ends")

    asyncio.run(story())


def test_work_that_fails_leaves_the_duty_free() -> None:
    async def story() -> None:
        locks = DutyLocks()
        with pytest.raises(ValueError, match="no"):
            async with locks.perform("a"):
                raise ValueError("no")
        async with asyncio.timeout(60), locks.perform("a"):
            pass

    asyncio.run(story())
