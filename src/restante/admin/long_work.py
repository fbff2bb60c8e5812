"""Threads for administration's long work without a disk, such as reading a list of names.

The threads of `asyncio.to_thread` are those of mail: TLS contexts and logins at destinations are
made there. A request of the API must not take them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class WorkThreads:
    """A number of threads for one sort of work."""

    def __init__(self, count: int, name: str) -> None:
        """`name` is shown by tools that list threads."""
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(
        self, work: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        """Return the result of work that takes long. Each thread does one piece at a time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*given, **named))


beside_mail: Final = WorkThreads(2, "admin-work").run
