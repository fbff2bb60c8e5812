"""Threads for work that may never end."""

import asyncio
import threading
from functools import partial

import pytest

from restante.store.sqlite.daemon_threads import DaemonThreads


def test_threads_do_their_work_in_order_and_say_when_it_hangs() -> None:
    end, done = threading.Event(), list[int]()
    threads = DaemonThreads(1, "test")
    futures = [threads.submit(done.append, number) for number in range(3)]
    for future in futures:
        future.result(5.0)
    assert done == [0, 1, 2]
    failing_work = threads.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failing_work.result(5.0)
    stuck = threads.submit(end.wait, 30.0)
    assert not threads.close(0.01)
    with pytest.raises(RuntimeError):
        threads.submit(done.append, 4)
    end.set()
    assert stuck.result(5.0)
    assert threads.close(5.0)


def test_the_event_loop_gets_answers_and_errors() -> None:
    threads = DaemonThreads(2, "test")

    async def ask() -> None:
        answers = [threads.do(partial(int, digit)) for digit in "12"]
        assert [await answer for answer in answers] == [1, 2]
        with pytest.raises(ValueError, match="no number"):
            await threads.do(partial(int, "no number"))
        assert threads.close(30.0)
        with pytest.raises(RuntimeError):
            threads.do(partial(int, "3"))

    asyncio.run(ask())


def test_work_that_was_cancelled_before_its_turn_is_left_out() -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[int]()
    threads = DaemonThreads(1, "test")

    def hang() -> None:
        begun.set()
        go_on.wait(30.0)

    async def ask() -> None:
        first = threads.do(hang)
        second, third = (threads.do(partial(done.append, number)) for number in (2, 3))
        assert begun.wait(30.0)
        first.cancel()
        second.cancel()
        go_on.set()
        await third

    asyncio.run(ask())
    assert done == [3]
    assert threads.close(30.0)


def test_an_answer_for_a_loop_that_is_closed_ends_no_thread() -> None:
    go_on = threading.Event()
    threads = DaemonThreads(1, "test")

    async def ask() -> None:
        threads.do(partial(go_on.wait, 30.0))

    asyncio.run(ask())
    go_on.set()
    assert threads.submit(int, "1").result(30.0) == 1
    assert threads.close(30.0)
