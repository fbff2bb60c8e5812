"""The server's tasks: each has the one TaskGroup as its parent, and a defect ends only its own."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from restante.reception.descriptor_limit import is_want_of_descriptors
from restante.telemetry.event_bus import Log
from restante.telemetry.events import InternalError
from restante.telemetry.work_word import DefectPlace


class TaskSpawner:
    """Starts tasks under the server's one group."""

    def __init__(self, tasks: asyncio.TaskGroup, log: Log) -> None:
        self._tasks = tasks
        self._log = log

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task. An exception in it ends this task alone, and is logged.

        Raises RuntimeError once the server's group ends.
        """
        guarded = self._guard(coroutine)
        try:
            task = self._tasks.create_task(guarded)
        except RuntimeError:
            guarded.close()
            coroutine.close()
            raise
        # One cancelled before its first step would leave `coroutine` never awaited.
        task.add_done_callback(lambda _task: coroutine.close())
        return task

    async def _guard(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        except Exception as error:  # noqa: BLE001  the boundary: one task's defect is no other's
            self._log.publish(InternalError(error=error))


class CallbackDefects:
    """Logs what callbacks raise. Without it, asyncio writes to standard error in its own form."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._has_accept_failed = False

    def handle(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log one; of accepts that failed for want of descriptors, take note only."""
        error = context.get("exception") or RuntimeError(context["message"])
        if "accept" in context["message"] and is_want_of_descriptors(error):
            self._has_accept_failed = True  # asyncio's own loop: it tries again in a second
            return
        self._log.publish(InternalError(error=error, doing=DefectPlace.CALLBACK))

    def take_accept_failed(self) -> bool:
        """Tell whether an accept has failed since this was last asked."""
        has_failed, self._has_accept_failed = self._has_accept_failed, False
        return has_failed
