"""Calls at the same moment have one answer together, and each caller gets its own part."""

import asyncio
from collections.abc import Sequence

import pytest

from restante.store.postgres.joint_calls import MOST, JointCalls
from restante.store.store_errors import StoreError

pytestmark = pytest.mark.usefixtures("runner")


class Doubling:
    """Answers each number with its double, and remembers which it got together."""

    def __init__(self) -> None:
        self.together: list[list[int]] = []
        self.failure: StoreError | None = None
        self.calls = JointCalls(self._answer, asyncio.create_task)
        self.has_begun = asyncio.Event()

    async def _answer(self, numbers: Sequence[int]) -> list[int]:
        self.together.append(list(numbers))
        self.has_begun.set()
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return [2 * one for one in numbers]


async def test_calls_of_one_moment_are_answered_together() -> None:
    doubling = Doubling()
    assert await asyncio.gather(*map(doubling.calls.call, (1, 2, 3))) == [2, 4, 6]
    assert await doubling.calls.call(4) == 8
    assert doubling.together == [[1, 2, 3], [4]]


async def test_a_call_during_an_answer_waits_for_the_next_one() -> None:
    doubling = Doubling()
    first = asyncio.create_task(doubling.calls.call(1))
    await doubling.has_begun.wait()
    assert await doubling.calls.call(2) == 4
    assert await first == 2
    assert doubling.together == [[1], [2]]


async def test_too_many_calls_are_answered_in_parts() -> None:
    doubling = Doubling()
    await asyncio.gather(*map(doubling.calls.call, range(MOST + 1)))
    assert [len(one) for one in doubling.together] == [MOST, 1]


async def test_a_failure_is_that_of_each_call_and_of_no_later_one() -> None:
    doubling = Doubling()
    doubling.failure = StoreError("away")
    answers = await asyncio.gather(*map(doubling.calls.call, (1, 2)), return_exceptions=True)
    assert answers == [doubling.failure] * 2
    doubling.failure = None
    assert await doubling.calls.call(3) == 6


async def test_a_caller_that_leaves_takes_nobody_with_it() -> None:
    doubling = Doubling()
    leaving = asyncio.create_task(doubling.calls.call(1))
    staying = asyncio.create_task(doubling.calls.call(2))
    await doubling.has_begun.wait()
    leaving.cancel()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert doubling.together == [[1, 2]], "it was made all the same"
