"""Long work of administration leaves the threads of mail free."""

import asyncio
import os
import threading

import pytest

from restante.admin.long_work import beside_mail


async def _occupied(end: threading.Event, count: int) -> list[asyncio.Task[bool]]:
    """Begin so much work that waits for `end`."""
    work = [asyncio.create_task(beside_mail(end.wait, 10.0)) for _ in range(count)]
    await asyncio.sleep(0)
    return work


def test_threads_of_mail_are_free_while_all_of_its_own_are_occupied() -> None:
    async def story() -> None:
        end = threading.Event()
        work = await _occupied(end, 40)
        assert await asyncio.to_thread(lambda: "a TLS context") == "a TLS context"
        assert not any(one.done() for one in work)
        end.set()
        assert all(await asyncio.gather(*work))

    asyncio.run(story())


def test_its_error_reaches_the_caller() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(beside_mail(work))


def test_a_child_has_threads_of_its_own() -> None:
    asyncio.run(beside_mail(int))  # the parent has one now
    child = os.fork()
    if not child:
        found = asyncio.run(asyncio.wait_for(beside_mail(lambda: 7), 60))
        os._exit(found)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
