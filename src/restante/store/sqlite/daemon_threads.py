"""A few threads for work that may never end: a disk that hangs does not keep the process alive.

ThreadPoolExecutor will not do: the interpreter waits for its threads when it ends, however long
their read takes. And a Future of the event loop alone is cheaper than one of threads beside it.
"""

import asyncio

# For asyncio.to_thread: a user that is no longer root may not read it.
import concurrent.futures.thread  # noqa: F401
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")


class _AnswerOnLoop:
    """Where a thread leaves its answer for the event loop, in the way of a Future of threads."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()

    @property
    def future(self) -> "asyncio.Future[Any]":
        return self._future

    def set_running_or_notify_cancel(self) -> bool:
        return not self._future.cancelled()

    def set_result(self, answer: object) -> None:
        self._hand_over(self._future.set_result, answer)

    def set_exception(self, error: BaseException) -> None:
        self._hand_over(self._future.set_exception, error)

    def _hand_over(self, settle: Callable[[Any], None], answer: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._settle, settle, answer)

    def _settle(self, settle: Callable[[Any], None], answer: object) -> None:
        if not self._future.done():  # the waiting caller was cancelled
            settle(answer)


_AskedWork = tuple[Future[Any] | _AnswerOnLoop, Callable[[], Any]]


class DaemonThreads(Executor):
    """Threads that take work in the order in which it came."""

    def __init__(self, count: int, name: str) -> None:
        self._work: SimpleQueue[_AskedWork | None] = SimpleQueue()
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

    def do(self, work: Callable[[], _Answer]) -> "asyncio.Future[_Answer]":
        """Have work done for the event loop that runs. Raises RuntimeError when it is closed.

        Work whose answer is cancelled before its turn is left out.
        """
        if self._is_closed:
            raise RuntimeError("closed")
        answer = _AnswerOnLoop()
        self._work.put((answer, work))
        return answer.future

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
                del answer
            del (
                taken,
                future,
                work,
            )  # otherwise this thread keeps the last answer until the next work comes
