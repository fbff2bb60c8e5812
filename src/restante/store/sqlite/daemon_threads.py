"""A few threads for work that may never end: a disk that hangs does not keep the process alive.

ThreadPoolExecutor will not do: the interpreter waits for its threads when it ends, however long
their read takes.
"""

# For asyncio.to_thread: a user that is no longer root may not read it.
import concurrent.futures.thread  # noqa: F401
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")


class DaemonThreads(Executor):
    """Threads that take work in the order in which it came."""

    def __init__(self, count: int, name: str) -> None:
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., _Answer], /, *args: Any, **kwargs: Any) -> Future[_Answer]:
        """Have work done. Raises RuntimeError when it is closed."""
        if self._is_closed:
            raise RuntimeError("closed")
        future: Future[_Answer] = Future()
        self._work.put((future, lambda: fn(*args, **kwargs)))
        return future

    def close(self, seconds: float) -> bool:
        """Accept no more work, and wait so long for the rest; tell whether all of it ended.

        Blocks.
        """
        self._is_closed = True
        for _ in self._threads:
            self._work.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (taken := self._work.get()) is not None:
            future, work = taken
            if not future.set_running_or_notify_cancel():
                continue
            try:
                answer = work()
            except BaseException as error:  # noqa: BLE001  raised again where the answer is awaited
                future.set_exception(error)
            else:
                future.set_result(answer)
            del (
                taken,
                future,
                work,
            )  # otherwise this thread keeps the last answer until the next work comes
