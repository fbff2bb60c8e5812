"""New passwords are hashed one after another, in a thread of their own."""

import asyncio
import threading

import pytest

from restante.admin.password_work import hashed_in_turn


def test_one_piece_of_work_runs_at_a_time_and_none_on_the_event_loop() -> None:
    running, most = 0, 0
    threads = set()

    def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threads.add(threading.current_thread())
        running -= 1
        return number

    async def story() -> list[int]:
        return await asyncio.gather(*(hashed_in_turn(work, number) for number in range(20)))

    assert asyncio.run(story()) == list(range(20))
    assert (most, len(threads)) == (1, 1)
    assert threading.main_thread() not in threads


def test_its_error_reaches_the_caller() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(hashed_in_turn(work))
