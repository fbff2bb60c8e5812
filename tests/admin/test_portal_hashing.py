"""The two threads of the portal: a short line before each, and mail goes first."""

import asyncio
import os
import threading

import pytest

from restante.admin.portal_hashing import (
    IN_A_ROW,
    NICENESS,
    STRANGERS_NICENESS,
    HashingBusy,
    PortalHashing,
)
from tests.admin.desk import run


def test_known_people_and_strangers_have_a_thread_each() -> None:
    async def story() -> None:
        hashing, meeting = PortalHashing(), threading.Barrier(2, timeout=30)

        def work() -> str:
            meeting.wait()  # both at once
            return threading.current_thread().name

        both = (True, False, True, False)
        names = await asyncio.gather(*(hashing.run(work, is_known=one) for one in both))
        assert names == ["portal-known_0", "portal-stranger_0"] * 2

    run(story())


def test_the_threads_leave_the_processor_to_mail() -> None:
    async def story() -> None:
        def niceness() -> int:
            return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

        here = niceness()
        assert await PortalHashing().run(niceness) == STRANGERS_NICENESS
        assert await PortalHashing().run(niceness, is_known=True) == NICENESS
        assert niceness() == here

    run(story())


def test_a_flood_of_strangers_does_not_stop_known_people() -> None:
    async def story() -> None:
        hashing, go = PortalHashing(limit=2), threading.Event()
        waiting = [asyncio.create_task(hashing.run(go.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await hashing.run(lambda: 7, is_known=True) == 7
        go.set()
        await asyncio.gather(*waiting)

    run(story())


def test_after_some_hashes_in_a_row_strangers_have_one_a_second() -> None:
    async def story() -> None:
        now, pauses = 0.0, list[float]()

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        hashing = PortalHashing(limit=99, monotonic=lambda: now, pause=pause)
        for _ in range(IN_A_ROW):
            await hashing.run(lambda: 7)
        assert pauses == []
        await asyncio.gather(*(hashing.run(lambda: 7) for _ in range(3)))
        assert pauses == [1.0, 2.0, 3.0]
        await hashing.run(lambda: 7, is_known=True)
        now += 1000.0
        for _ in range(IN_A_ROW):
            await hashing.run(lambda: 7)
        assert pauses == [1.0, 2.0, 3.0]

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
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert await hashing.run(lambda: 7) == 7

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
