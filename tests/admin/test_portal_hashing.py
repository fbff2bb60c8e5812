"""The portal's own threads: two, with a short line, and none of them another's."""

import asyncio
import threading

import pytest

from restante.admin.portal_hashing import THREADS, HashingBusy, PortalHashing
from tests.admin.desk import run


def test_work_runs_in_two_threads_of_its_own() -> None:
    async def story() -> None:
        hashing, meeting = PortalHashing(), threading.Barrier(THREADS, timeout=30)

        def work() -> str:
            meeting.wait()  # both at once
            return threading.current_thread().name

        names = await asyncio.gather(*(hashing.run(work) for _ in range(2 * THREADS)))
        assert len(set(names)) == THREADS
        assert all(name.startswith("portal-password") for name in names)

    run(story())


def test_a_full_line_refuses_at_once_and_has_room_again() -> None:
    async def story() -> None:
        hashing, go = PortalHashing(limit=2), threading.Event()
        waiting = [asyncio.create_task(hashing.run(go.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HashingBusy):
            await hashing.run(go.wait)
        go.set()
        await asyncio.gather(*waiting)
        assert await hashing.run(lambda: 7) == 7

    run(story())


def test_a_caller_that_is_gone_keeps_its_place_until_its_hash_is_done() -> None:
    """Otherwise, closed connections would be a way around the limit."""

    async def story() -> None:
        hashing, go = PortalHashing(limit=1), threading.Event()
        waiting = asyncio.create_task(hashing.run(go.wait))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        with pytest.raises(HashingBusy):
            await hashing.run(go.wait)
        go.set()
        while True:
            try:
                assert await hashing.run(lambda: 7) == 7
                break
            except HashingBusy:
                await asyncio.sleep(0)

    run(story())


def test_a_failure_is_the_callers_and_frees_its_place() -> None:
    async def story() -> None:
        hashing = PortalHashing(limit=1)

        def fail() -> None:
            raise ValueError("no")

        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await hashing.run(fail)
            await asyncio.sleep(0)

    run(story())
