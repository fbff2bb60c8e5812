"""The two lines of the portal: short, one for strangers, and mail goes first."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence

import pytest

from restante.admin.portal_hashing import IN_A_ROW, NICENESS, HashingBusy, PortalHashing
from restante.tenancy.passwords import hash_generated_password
from tests.admin.admin_world import run


class Strangers:
    """Stands in for the process: does some work, and says that a password is right."""

    def __init__(self, work: Callable[[], object] = lambda: None) -> None:
        self.work = work
        self.asked: list[tuple[Sequence[str], str]] = []

    def any_matches(self, hashes: Sequence[str], password: str) -> bool:
        """Say yes."""
        self.work()
        self.asked.append((hashes, password))
        return True


async def guess(hashing: PortalHashing) -> bool:
    return await hashing.any_matches((), "a guess", is_known=False)


def test_known_people_and_strangers_have_a_thread_each() -> None:
    async def story() -> None:
        names: set[str] = set()
        meeting = threading.Barrier(2, timeout=30)

        def work() -> None:
            meeting.wait()  # both at once
            names.add(threading.current_thread().name)

        hashing = PortalHashing(stranger_matches=Strangers(work).any_matches)
        both = (hashing.of_known(work), guess(hashing), hashing.of_known(work), guess(hashing))
        await asyncio.gather(*both)
        assert names == {"portal-known_0", "portal-stranger_0"}

    run(story())


def test_the_passwords_of_strangers_are_hashed_elsewhere_those_of_known_people_here() -> None:
    async def story() -> None:
        strangers = Strangers()
        hashing = PortalHashing(stranger_matches=strangers.any_matches)
        hashes = (hash_generated_password("right"),)
        assert await hashing.any_matches(hashes, "right", is_known=True)
        assert not await hashing.any_matches(hashes, "wrong", is_known=True)
        assert not strangers.asked
        assert await hashing.any_matches(hashes, "a guess", is_known=False)
        assert strangers.asked == [(hashes, "a guess")]

    run(story())


def test_the_thread_of_known_people_leaves_the_processor_to_mail() -> None:
    async def story() -> None:
        def niceness() -> int:
            return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

        here = niceness()
        assert await PortalHashing().of_known(niceness) == NICENESS
        assert niceness() == here

    run(story())


def test_a_thread_that_the_interpreter_waits_for_keeps_the_usual_priority() -> None:
    """The thread that asks the process of strangers takes the interpreter's lock, as mail does."""

    async def story() -> None:
        def niceness() -> None:
            found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

        found: list[int] = []
        await guess(PortalHashing(stranger_matches=Strangers(niceness).any_matches))
        assert found == [os.getpriority(os.PRIO_PROCESS, 0)]

    run(story())


def test_a_flood_of_strangers_does_not_stop_known_people() -> None:
    async def story() -> None:
        go = threading.Event()
        hashing = PortalHashing(limit=2, stranger_matches=Strangers(go.wait).any_matches)
        waiting = [asyncio.create_task(guess(hashing)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await hashing.of_known(lambda: 7) == 7
        go.set()
        await asyncio.gather(*waiting)

    run(story())


def test_after_some_hashes_in_a_row_strangers_have_one_a_second() -> None:
    async def story() -> None:
        now, pauses = 0.0, list[float]()

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        hashing = PortalHashing(99, lambda: now, pause, Strangers().any_matches)
        for _ in range(IN_A_ROW):
            await guess(hashing)
        assert pauses == []
        await asyncio.gather(*(guess(hashing) for _ in range(3)))
        assert pauses == [1.0, 2.0, 3.0]
        await hashing.of_known(lambda: 7)
        now += 1000.0
        for _ in range(IN_A_ROW):
            await guess(hashing)
        assert pauses == [1.0, 2.0, 3.0]

    run(story())


def test_a_full_line_refuses_at_once_and_has_room_again() -> None:
    async def story() -> None:
        hashing, go = PortalHashing(limit=2), threading.Event()
        waiting = [asyncio.create_task(hashing.of_known(go.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HashingBusy):
            await hashing.of_known(go.wait)
        go.set()
        await asyncio.gather(*waiting)
        assert await hashing.of_known(lambda: 7) == 7

    run(story())


def test_a_caller_that_is_gone_keeps_its_place_until_its_hash_is_done() -> None:
    """Otherwise, closed connections would be a way around the limit."""

    async def story() -> None:
        go = threading.Event()
        hashing = PortalHashing(limit=1, stranger_matches=Strangers(go.wait).any_matches)
        waiting = asyncio.create_task(guess(hashing))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        with pytest.raises(HashingBusy):
            await guess(hashing)
        go.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert await guess(hashing)

    run(story())


def test_a_failure_is_the_callers_and_frees_its_place() -> None:
    async def story() -> None:
        hashing = PortalHashing(limit=1)

        def fail() -> None:
            raise ValueError("no")

        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await hashing.of_known(fail)
            await asyncio.sleep(0)

    run(story())
