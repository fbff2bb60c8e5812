"""The two threads for administration's long work without a disk, such as reading a list of names.

The threads of `asyncio.to_thread` are those of mail: TLS contexts and logins at destinations are
made there. A request of the API must not take them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="admin-work")


async def beside_mail(
    work: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
) -> _Result:
    """Return the result of work that takes long. Two pieces run at a time, others wait."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, lambda: work(*given, **named))
