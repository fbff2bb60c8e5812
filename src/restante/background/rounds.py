"""A loop in the background: a round of work, a pause, and again. A failure ends only its round.

The pause is cut short by `wake`, when there is something to do, and by `close`. After a failure
only `close` cuts it short, so that events do not cause a retry each.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from restante.background.waiting import Wait, wait_at_most
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.log import Log

AFTER_FAILURE: Final = 30.0  # seconds

Round = Callable[[], Awaitable[float]]  # returns the seconds until the next, if nothing wakes it


class Rounds:
    """When the rounds of one loop are done."""

    def __init__(self, log: Log, doing: str, wait: Wait = wait_at_most) -> None:
        """`doing` names the work in the log."""
        self._log = log
        self._doing = doing
        self._wait = wait
        self._woken = asyncio.Event()
        self._closing = asyncio.Event()

    @property
    def is_closing(self) -> bool:
        """Whether no further round is wanted."""
        return self._closing.is_set()

    def wake(self) -> None:
        """Do the next round at once, or as soon as the present one is over."""
        self._woken.set()

    def close(self) -> None:
        """Let `run_rounds` return after its present round."""
        self._closing.set()
        self._woken.set()

    async def run_rounds(self, take_round: Round, *, apart: float = 0.0) -> None:
        """Do rounds until `close`, with at least `apart` seconds between two."""
        while not self.is_closing:
            self._woken.clear()
            pause = await self.run_once(take_round)
            if pause is None:
                await self.pause(AFTER_FAILURE)
                continue
            if apart:
                await self.pause(apart)
            if not self.is_closing:
                await self._wait(self._woken, pause)

    async def run_once(self, take_round: Round) -> float | None:
        """Do one round; return its pause in seconds, or None if it failed, which is logged."""
        try:
            return await take_round()
        except StoreError as error:
            self._log.publish(StoreFailed(error=error, doing=self._doing))
        except Exception as error:  # noqa: BLE001  the boundary: a defect ends only its round
            self._log.publish(InternalError(error=error, doing=self._doing))
        return None

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until `close`."""
        await self._wait(self._closing, seconds)
