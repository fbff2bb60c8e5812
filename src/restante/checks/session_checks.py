"""All checks of the server, and their part in one SMTP session.

The checks are asked in the order of the configuration, and the first refusal in that order counts.
Those that have to wait for something run at the same time, so the client waits for the slowest
alone. Their findings about mail that passes are gathered for the message (findings.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

from restante.checks.check import (
    CheckSession,
    ClientFacts,
    Examination,
    ExaminedContent,
    ExaminedRecipient,
)
from restante.checks.check_runner import CheckRunner
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused

OnFound = Callable[[str, CheckPassed], None]
"""Called with the name of a check and what it found in mail that it lets pass."""

_Pending = list[tuple[CheckRunner, Examination]]
PendingRefusal = Coroutine[Any, Any, CheckRefused | None]
"""Returns the refusal, or None where mail may pass."""


class SessionChecks:
    """The checks of one session. Calls come one after another."""

    __slots__ = ("_sessions", "read_content")

    def __init__(self, runners: Sequence[CheckRunner]) -> None:
        self._sessions: list[tuple[CheckRunner, CheckSession | None]] = [
            (runner, runner.open()) for runner in runners
        ]
        self.read_content = True in [runner.reads_content for runner in runners]

    def recipient(
        self, facts: ExaminedRecipient, on_found: OnFound
    ) -> CheckRefused | PendingRefusal | None:
        """Examine a recipient: return the refusal, None if it may be accepted, or a coroutine."""
        pending: _Pending = []
        for runner, session in self._sessions:
            answer = runner.recipient(session, facts)
            if answer is PASSED:
                continue
            if isinstance(answer, CheckPassed):
                on_found(runner.name, answer)
            elif isinstance(answer, CheckRefused):
                _forget(pending)
                return _named(runner.name, answer)
            else:
                pending.append((runner, answer))
        return _all_of(pending, facts.client, on_found) if pending else None

    def content(
        self,
        facts: ExaminedContent,
        read: Callable[[], AsyncGenerator[bytes, None]],
        on_found: OnFound,
    ) -> CheckRefused | PendingRefusal | None:
        """Examine content, if any checks `read_content`; returns the same.

        Each check gets the blocks from `read` for itself. The coroutine raises StoreError where the
        content cannot be read.
        """
        pending: _Pending = []
        for runner, session in self._sessions:
            if not runner.reads_content:
                continue
            answer = runner.content(session, facts, read())
            if isinstance(answer, CheckRefused):
                _forget(pending)
                return _named(runner.name, answer)
            if not isinstance(answer, CheckPassed):
                pending.append((runner, answer))
        return _all_of(pending, facts.client, on_found) if pending else None

    def abort(self) -> None:
        """Forget the mail transaction."""
        for runner, session in self._sessions:
            runner.abort(session)

    def close(self) -> None:
        """End the session."""
        for runner, session in self._sessions:
            runner.close(session)


async def _all_of(pending: _Pending, client: ClientFacts, on_found: OnFound) -> CheckRefused | None:
    """Await all decisions, and return the first refusal in the order of the checks."""
    try:
        decisions = await asyncio.gather(
            *(runner.examine(examination, client.address) for runner, examination in pending),
            return_exceptions=True,
        )
    finally:
        _forget(pending)  # those that had no slot have not begun
    refusal = None
    for (runner, _), decision in zip(pending, decisions, strict=True):
        if isinstance(decision, BaseException):
            raise decision
        if not isinstance(decision, CheckRefused):
            on_found(runner.name, decision)
        elif refusal is None:
            refusal = _named(runner.name, decision)
    return refusal


def _forget(pending: _Pending) -> None:
    for _, examination in pending:
        examination.close()


def _named(check: str, refused: CheckRefused) -> CheckRefused:
    """Put the name of the check before the reason, for the log."""
    reason = f"check {check}: {refused.reason}" if refused.reason else f"check {check}"
    return CheckRefused(refused.reply, reason)
