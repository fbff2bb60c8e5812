"""A content filter as a check: asked once for each message, at the end of its content.

The filter is a program of the operator. It may be down, slow, or answer nonsense; the mail is then
held unexamined. A filter that is away is hardly asked (filter_breaker.py), and the operator is
told.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from restante.checks.check import ExaminedContent, SimpleCheck
from restante.checks.filter_answer import (
    FilterAnswer,
    FilterFailed,
    examined_domains,
    filter_verdict,
)
from restante.checks.filter_breaker import FilterBreaker, FilterTurn
from restante.checks.verdict import PASSED, CheckUndecided, CheckVerdict
from restante.phrases import cause_of
from restante.telemetry.event_bus import Log
from restante.telemetry.events import FilterAway, FilterBack


class ContentFilter(Protocol):
    """A program that examines messages."""

    @property
    def name(self) -> str:
        """The name for the log, such as `rspamd`."""

    @property
    def is_on(self) -> bool:
        """Whether the settings have it."""

    @property
    def seconds(self) -> float:
        """The time for an answer."""

    async def ask(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> FilterAnswer:
        """Return its answer about a message. Raises FilterFailed, OSError, and StoreError.

        StoreError comes from the blocks alone.
        """


class FilterCheck(SimpleCheck):
    """Asks one filter."""

    def __init__(self, asked: ContentFilter, log: Log, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self.name = asked.name
        self._filter = asked
        self._log = log
        self._monotonic = monotonic
        self._breaker = FilterBreaker()

    @property
    def is_on(self) -> bool:  # type: ignore[override]
        """Whether there is a filter to be asked."""
        return self._filter.is_on

    @property
    def reads_content(self) -> bool:  # type: ignore[override]
        """Whether there is a filter to be asked."""
        return self._filter.is_on

    def settings_changed(self) -> None:
        """Ask again at once: it may be another filter."""
        self._breaker = FilterBreaker()

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        """Return the verdict by the filter's answer, or that it gave none."""
        if not examined_domains(facts):
            return PASSED
        breaker = self._breaker
        turn = breaker.turn(self._monotonic())
        if turn is FilterTurn.SKIP:
            return _not_examined("the filter is away")
        try:
            async with asyncio.timeout(self._filter.seconds):
                answer = await self._filter.ask(facts, blocks)
        except (TimeoutError, OSError, FilterFailed) as error:
            cause = self._cause(error)
            if not (isinstance(error, FilterFailed) and error.is_of_message):
                self._failed(breaker, turn, cause)
            return _not_examined(cause)
        finally:
            breaker.give_back(turn)
        away = breaker.answered(self._monotonic())
        if away is not None:
            self._log.publish(FilterBack(check=self.name, seconds=away))
        return filter_verdict(facts, answer)

    def _cause(self, error: TimeoutError | OSError | FilterFailed) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._filter.seconds:g} s"
        return cause_of(error)

    def _failed(self, breaker: FilterBreaker, turn: FilterTurn, cause: str) -> None:
        if breaker.failed(turn, self._monotonic()):
            self._log.publish(FilterAway(check=self.name, reason=cause))


def _not_examined(cause: str) -> CheckUndecided:
    return CheckUndecided(cause, ("not examined",))
