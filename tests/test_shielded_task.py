"""A work that goes on without its caller, and whose error is then no defect."""

import asyncio
import gc
from pathlib import Path

import pytest

import restante
from restante.shielded_task import shielded

PLACE = Path(restante.__file__).parent


class Work:
    """A work that ends when it is told to."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    async def succeed(self) -> str:
        await self._wait()
        return "done"

    async def fail(self) -> str:
        await self._wait()
        raise OSError("away")

    async def _wait(self) -> None:
        self.began.set()
        await self.may_end.wait()
        asyncio.get_running_loop().call_soon(self.ended.set)


def test_the_result_or_the_error_is_that_of_the_work() -> None:
    async def story() -> None:
        work = Work()
        work.may_end.set()
        assert await shielded(work.succeed()) == "done"
        with pytest.raises(OSError, match="away"):
            await shielded(work.fail())
        ended = asyncio.ensure_future(work.succeed())
        await ended
        assert await shielded(ended) == "done"

    asyncio.run(story())


def test_a_work_that_is_cancelled_cancels_its_caller() -> None:
    async def story() -> None:
        work = asyncio.ensure_future(Work().succeed())
        asyncio.get_running_loop().call_soon(work.cancel)
        with pytest.raises(asyncio.CancelledError):
            await shielded(work)

    asyncio.run(story())


@pytest.mark.parametrize("fails", [False, True])
def test_without_its_caller_it_goes_on_and_its_error_is_no_defect(*, fails: bool) -> None:
    told: list[object] = []
    asyncio.run(_without_its_caller(told, fails=fails))
    assert told == []


async def _without_its_caller(told: list[object], *, fails: bool) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    work = Work()
    task = asyncio.ensure_future(work.fail() if fails else work.succeed())
    caller = asyncio.ensure_future(shielded(task))
    await work.began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not task.done()
    work.may_end.set()
    await work.ended.wait()
    await asyncio.sleep(0)
    assert task.done()
    del task, caller
    gc.collect()


def test_no_module_uses_the_function_of_asyncio() -> None:
    users = [path for path in PLACE.rglob("*.py") if "asyncio.shield(" in path.read_text()]
    assert users == []
