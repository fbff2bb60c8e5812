"""Runs one check within its bounds, whatever it does.

- **Time.** An examination ends after `seconds`, and its wait for a slot counts. So no message waits
  longer for a check than that.
- **At once.** At most `at_once` examinations run. One address block has at most half of them, and
  the block with the fewest is next. So no stranger keeps a check from the mail of others.
- **Failure.** A check that is undecided, too slow, unreachable or defective has failed. Its mail
  is accepted unexamined, or deferred with 451 where the operator wants that. It is never refused
  with 5xx for that, and never lost.
- **The event loop.** Examinations are coroutines. Only memory is looked at outside of them.

Failures are logged once a minute, with their number: a filter that is down fails for each message.
Content that our own store cannot read is no failure of a check, and is raised as StoreError.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Final

from restante.background.fair_slots import FairSlots
from restante.checks.check import (
    Check,
    CheckLimits,
    CheckSession,
    Examination,
    ExaminedContent,
    ExaminedRecipient,
    OnFailure,
)
from restante.checks.verdict import (
    PASSED,
    CheckPassed,
    CheckRefused,
    CheckVerdict,
    refuse,
)
from restante.network.addresses import address_block
from restante.phrases import cause_of
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import CheckFailed
from restante.tenancy.model import IpAddress

FAILURE_LINES_APART: Final = 60.0  # seconds
_DEFERRED: Final = refuse(451, "4.7.1", "Cannot examine mail now, try again later").reply

CheckDecision = CheckPassed | CheckRefused


class CheckRunner:
    """One check, with its limits."""

    def __init__(
        self, check: Check, limits: CheckLimits, log: Log, monotonic: Callable[[], float]
    ) -> None:
        """`monotonic` is in seconds."""
        self.name = check.name
        self._check = check
        self._limits = limits
        self._log = log
        self._monotonic = monotonic
        self._slots = FairSlots(lambda: limits.at_once, lambda: max(1, limits.at_once // 2))
        self._failures = 0  # not logged yet
        self._last_logged = float("-inf")

    @property
    def is_on(self) -> bool:
        """Whether it can object to any mail by the settings."""
        return self._check.is_on

    @property
    def reads_content(self) -> bool:
        """Whether it examines content now: settings can change that."""
        return self._check.reads_content

    def open(self) -> CheckSession | None:
        """Begin a session; None if the check cannot: its mail is then as after a failure."""
        try:
            return self._check.open()
        except Exception as error:  # noqa: BLE001  a check's defect must not end a session
            self._failed(error)
            return None

    def recipient(
        self, session: CheckSession | None, facts: ExaminedRecipient
    ) -> CheckDecision | Examination:
        """Ask about a recipient; an examination, where the check has to wait for something."""
        if session is None:
            return self._by_limits("the check could not begin")
        try:
            answer = session.recipient(facts)
        except Exception as error:  # noqa: BLE001  as above
            return self._failed(error)
        if isinstance(answer, CheckPassed):
            return answer
        return answer if isinstance(answer, Coroutine) else self._decide(answer)

    def content(
        self, session: CheckSession | None, facts: ExaminedContent, blocks: AsyncIterator[bytes]
    ) -> CheckDecision | Examination:
        """Ask about content, if the check reads it."""
        if session is None:
            return PASSED
        try:
            return session.content(facts, blocks)
        except Exception as error:  # noqa: BLE001  as above
            return self._failed(error)

    async def examine(self, examination: Examination, address: IpAddress) -> CheckDecision:
        """Run an examination within the bounds. Raises StoreError alone."""
        try:
            async with (
                asyncio.timeout(self._limits.seconds),
                self._slots.slot(str(address_block(address))),
            ):
                verdict = await examination
        except StoreError:
            raise
        except TimeoutError as error:
            silence = TimeoutError(f"no verdict within {self._limits.seconds:g} s")
            return self._failed(error if str(error) else silence)
        except Exception as error:  # noqa: BLE001  as above
            return self._failed(error)
        return self._decide(verdict)

    def abort(self, session: CheckSession | None) -> None:
        """Tell the check that the mail transaction has ended."""
        if session is not None:
            self._call(session.abort)

    def close(self, session: CheckSession | None) -> None:
        """Tell the check that the session has ended."""
        if session is not None:
            self._call(session.close)

    def _call(self, method: Callable[[], None]) -> None:
        try:
            method()
        except Exception as error:  # noqa: BLE001  as above
            self._failed(error)

    def _decide(self, verdict: CheckVerdict) -> CheckDecision:
        if isinstance(verdict, CheckPassed | CheckRefused):
            return verdict
        reason = getattr(verdict, "reason", f"{verdict!r} is no verdict")
        return self._failed(CheckError(reason), getattr(verdict, "notes", ()))

    def _failed(self, error: Exception, notes: tuple[str, ...] = ()) -> CheckDecision:
        self._failures += 1
        now = self._monotonic()
        if now - self._last_logged >= FAILURE_LINES_APART:
            self._log.publish(CheckFailed(check=self.name, error=error, count=self._failures))
            self._failures, self._last_logged = 0, now
        return self._by_limits(cause_of(error), notes)

    def _by_limits(self, reason: str, notes: tuple[str, ...] = ()) -> CheckDecision:
        if self._limits.on_failure is OnFailure.DEFER:
            return CheckRefused(_DEFERRED, f"could not be examined: {reason}")
        return CheckPassed(notes) if notes else PASSED


class CheckError(Exception):
    """A check could not decide."""
