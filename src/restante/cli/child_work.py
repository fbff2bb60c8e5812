"""Work on the store as the server's user, in a child: this process must stay root."""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from restante.cli.failures import Exit, Failure
from restante.cli.progress import waiting

_BLOCK: Final = 65_536

ChildWork = Callable[[Callable[[], None]], Coroutine[None, None, Any]]


def as_server_user(work: ChildWork, what: str = "") -> Any:
    """Return the result of `work`, which may become another user. Raises its Failure.

    The result must be JSON. `what` is shown to a terminal while it is awaited. If this process is
    not root, it does the work itself. Otherwise the child ends with this process, also after
    SIGKILL, and so does its lock on the store. A change of the user undoes that, so `work` gets a
    function to call once it is the server's user.
    """
    if os.geteuid() != 0:
        with waiting(what):
            return asyncio.run(work(_nothing))
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(work, parent, writing)
    os.close(writing)
    with waiting(what):
        octets = _all_of(reading)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code or not octets:
        raise Failure(Exit.UNAVAILABLE, f"{what}: the process that did it ended; try again")
    answer = json.loads(octets)
    if "texts" in answer:
        raise Failure(Exit(answer["code"]), *answer["texts"])
    return answer["result"]


def _nothing() -> None:
    """There is no child."""


def _answer(work: ChildWork, parent: int, writing: int) -> None:
    """Do the work in the child, write its result or failure, and end the process."""
    from restante.config.privileges import end_with  # noqa: PLC0415  heavy

    code = 1
    try:
        bind = partial(end_with, parent, signal.SIGKILL)
        bind()
        try:
            answer = {"result": asyncio.run(work(bind))}
        except Failure as failure:
            answer = {"code": int(failure.code), "texts": failure.texts}
        with os.fdopen(writing, "wb") as stream:
            stream.write(json.dumps(answer).encode())
        code = 0
    except BaseException:  # noqa: BLE001  it must not go on as the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _all_of(reading: int) -> bytes:
    with os.fdopen(reading, "rb") as stream:
        return b"".join(iter(lambda: stream.read(_BLOCK), b""))
