"""Threads for administration's long work without a disk, such as reading a list of names.

The threads of `asyncio.to_thread` are those of mail: TLS contexts and logins at destinations are
made there. A request of the API must not take them.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class WorkThreads:
    """A number of threads for one sort of work. It lives as long as the process.

    After a fork, the child gets threads of its own: those of the parent are not there.
    """

    def __init__(self, count: int, name: str) -> None:
        """`name` is shown by tools that list threads."""
        self._count = count
        self._name = name
        self._threads = self._new_threads()
        os.register_at_fork(after_in_child=self._renew)

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._count, thread_name_prefix=self._name)

    def _renew(self) -> None:
        self._threads = self._new_threads()

    async def run(
        self, work: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        """Return the result of work that takes long. Each thread does one piece at a time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*given, **named))


beside_mail: Final = WorkThreads(2, "admin-work").run
