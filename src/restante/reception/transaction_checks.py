"""The checks of one mail transaction: their facts, and their findings so far."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from restante.checks.check import ClientFacts, ExaminedContent, ExaminedRecipient
from restante.checks.findings import NOTHING_FOUND
from restante.checks.session_checks import PendingRefusal, SessionChecks
from restante.checks.verdict import CheckPassed, CheckRefused
from restante.mail.address import Mailbox
from restante.reception.admission import HostedRecipient


class TransactionChecks:
    """From MAIL to the reply after the content."""

    __slots__ = ("_checks", "_is_aborted", "_reverse_path", "_running", "client", "findings")

    def __init__(
        self, checks: SessionChecks, client: ClientFacts, reverse_path: Mailbox | None
    ) -> None:
        self._checks = checks
        self.client = client
        self._reverse_path = reverse_path
        self._running: asyncio.Task[Any] | None = None  # the one that awaits verdicts
        self._is_aborted = False
        self.findings = NOTHING_FOUND

    @property
    def read_content(self) -> bool:
        """Whether any check examines content."""
        return self._checks.read_content

    def recipient(self, recipient: HostedRecipient) -> CheckRefused | PendingRefusal | None:
        """Examine an admitted recipient; a coroutine where a check waits for something."""
        facts = ExaminedRecipient(self.client, self._reverse_path, recipient.path, recipient.domain)
        answer = self._checks.recipient(facts, self._found)
        if answer is None or isinstance(answer, CheckRefused):
            return answer
        return self._run(answer)

    def content(
        self,
        forward_paths: tuple[str, ...],
        octets: int,
        read: Callable[[], AsyncGenerator[bytes, None]],
    ) -> PendingRefusal | None:
        """Examine complete content; None if no check reads it. Raises StoreError if it cannot."""
        facts = ExaminedContent(self.client, self._reverse_path, forward_paths, octets)
        answer = self._checks.content(facts, read, self._found)
        if isinstance(answer, CheckRefused):
            return _at_once(answer)
        return None if answer is None else self._run(answer)

    def abort(self) -> None:
        """End the transaction without mail being held, and any examination that is running."""
        self._is_aborted = True
        if self._running is not None:
            self._running.cancel()
        self._checks.abort()

    def _found(self, check: str, passed: CheckPassed) -> None:
        self.findings = self.findings.with_one(check, passed)

    async def _run(self, examination: PendingRefusal) -> CheckRefused | None:
        task = self._running = asyncio.current_task()
        try:
            return await examination
        except asyncio.CancelledError:
            if not self._is_aborted or task is None:
                raise
            task.uncancel()  # nobody waits for the verdict any more; the task itself goes on
            return None
        finally:
            self._running = None


async def _at_once(refused: CheckRefused) -> CheckRefused:
    return refused
