"""A loop in the background: a round of work, a pause, and again. A failure ends only its round.

The pause is cut short by `wake`, when there is something to do, and by `close`. After a failure
only `close` cuts it short, so that events do not cause a retry each. A loop that tries again sooner
than others logs only the first of several failures in a row.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import WorkWord

AFTER_FAILURE: Final = 30.0  # seconds

Round = Callable[[], Awaitable[float]]  # returns the seconds until the next, if nothing wakes it


class Rounds:
    """When the rounds of one loop are done."""

    def __init__(
        self,
        log: Log,
        doing: WorkWord,
        wait: Wait = wait_at_most,
        *,
        after_failure: float = AFTER_FAILURE,
    ) -> None:
        """`doing` names the work in the log; `after_failure` is the pause in seconds."""
        self._log = log
        self._doing = doing
        self._wait = wait
        self._after_failure = after_failure
        self._has_failed = False
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

    async def woken(self) -> None:
        """Return once `wake` or `close` was called since the present round began."""
        await self._woken.wait()

    async def run_rounds(self, take_round: Round, *, apart: float = 0.0) -> None:
        """Do rounds until `close`, with at least `apart` seconds between two."""
        while not self.is_closing:
            self._woken.clear()
            pause = await self.run_once(take_round)
            if pause is None:
                await self.pause(self._after_failure)
                continue
            if apart:
                await self.pause(apart)
            if not self.is_closing:
                await self._wait(self._woken, pause)

    async def run_once(self, take_round: Round) -> float | None:
        """Do one round; return its pause in seconds, or None if it failed, which is logged."""
        try:
            pause = await take_round()
        except StoreError as error:
            self._report(StoreFailed(error=error, doing=self._doing))
        except Exception as error:  # noqa: BLE001  the boundary: a defect ends only its round
            self._report(InternalError(error=error, doing=self._doing))
        else:
            self._has_failed = False
            return pause
        return None

    def _report(self, failure: StoreFailed | InternalError) -> None:
        if not self._has_failed or self._after_failure >= AFTER_FAILURE:
            self._log.publish(failure)
        self._has_failed = True

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until `close`."""
        await self._wait(self._closing, seconds)
