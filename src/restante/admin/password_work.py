"""The one thread that hashes passwords for administration.

A hash takes a tenth of a second and 64 MiB on purpose. Five hundred new logins at once must not
take the processor from the checks of AUTH, which have threads of their own
(`reception/credential_lanes`).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_THREAD: Final = ThreadPoolExecutor(1, thread_name_prefix="admin-password")


async def hashed_in_turn(
    work: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
) -> _Result:
    """Return the result of work that hashes. One piece of work runs at a time."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREAD, lambda: work(*given, **named))
