"""Long work of administration leaves the threads of mail free."""

import asyncio
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
