"""Duties: one process does a work for all, and another begins when it stops."""

import asyncio

import pytest

from restante.store.duty_store import keep_performing
from restante.store.interface import Store


async def turns(count: int = 5) -> None:
    """Let everything else go on."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_duty_is_done_once_at_a_time(store: Store) -> None:
    seen: list[str] = []
    begun, end = asyncio.Event(), asyncio.Event()

    async def work(name: str) -> None:
        async with store.duties.perform("retention"):
            seen.append(f"{name} begins")
            begun.set()
            await end.wait()
            seen.append(f"{name} ends")

    both = [asyncio.create_task(work(name)) for name in ("one", "two")]
    await begun.wait()
    await turns()
    assert seen == ["one begins"]
    end.set()
    await asyncio.gather(*both)
    assert seen == ["one begins", "one ends", "two begins", "two ends"]


async def test_a_duty_has_the_next_number_each_time_it_is_given_out(store: Store) -> None:
    numbers = []
    for name in ("retention", "retention", "reports", "retention"):
        async with store.duties.perform(name) as number:
            numbers.append(number)
    assert (numbers[1], numbers[3]) == (numbers[0] + 1, numbers[0] + 2)


async def test_duties_of_other_names_do_not_wait(store: Store) -> None:
    async with store.duties.perform("retention"), store.duties.perform("reports"):
        pass


@pytest.mark.parametrize("how", ["raises", "is cancelled"])
async def test_work_that_breaks_off_lets_the_next_begin(store: Store, how: str) -> None:
    async def work() -> None:
        async with store.duties.perform("retention"):
            if how == "raises":
                raise ValueError
            await asyncio.Event().wait()

    first = asyncio.create_task(work())
    await turns()
    first.cancel()
    await asyncio.wait([first])
    async with asyncio.timeout(60), store.duties.perform("retention"):
        pass


async def test_a_cancelled_waiter_leaves_the_duty_to_others(store: Store) -> None:
    async with store.duties.perform("retention"):
        waiting = asyncio.create_task(keep_performing(store.duties, "retention", turns))
        await turns()
        waiting.cancel()
        await asyncio.wait([waiting])
    async with asyncio.timeout(60), store.duties.perform("retention"):
        pass


async def test_work_on_one_thing_is_refused_at_once_while_it_is_done(store: Store) -> None:
    duties = store.duties
    for _ in range(2):
        async with duties.perform_if_free("drill of a.example") as is_ours:
            assert is_ours
            async with duties.perform_if_free("drill of a.example") as is_ours_too:
                assert not is_ours_too
            async with duties.perform_if_free("drill of a.example") as is_ours_too:
                assert not is_ours_too  # a refusal has freed nothing
            async with duties.perform_if_free("drill of b.example") as is_other_ours:
                assert is_other_ours


async def test_work_on_one_thing_that_raises_lets_the_next_begin(store: Store) -> None:
    with pytest.raises(ValueError, match="no"):
        async with store.duties.perform_if_free("drill of a.example"):
            raise ValueError("no")
    async with store.duties.perform_if_free("drill of a.example") as is_ours:
        assert is_ours
