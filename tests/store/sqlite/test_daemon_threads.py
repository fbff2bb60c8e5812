"""Threads for work that may never end."""

import threading

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
