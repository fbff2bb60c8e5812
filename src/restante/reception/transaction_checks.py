"""The checks of one mail transaction: their facts, and their findings so far.

Each domain gets a message of its own, with the findings for its own recipients and for the content.
So the policy of one domain marks no mail of another.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from restante.checks.check import ClientFacts, ExaminedContent, ExaminedRecipient
from restante.checks.findings import NOTHING_FOUND, Findings
from restante.checks.session_checks import PendingRefusal, SessionChecks
from restante.checks.verdict import CheckPassed, CheckRefused
from restante.mail.address import Mailbox
from restante.reception.admission import HostedRecipient
from restante.tenancy.model import HostedDomain


class TransactionChecks:
    """From MAIL to the reply after the content."""

    __slots__ = (
        "_by_domain",
        "_checks",
        "_in_content",
        "_is_aborted",
        "_reverse_path",
        "_running",
        "client",
        "findings",
    )

    def __init__(
        self, checks: SessionChecks, client: ClientFacts, reverse_path: Mailbox | None
    ) -> None:
        self._checks = checks
        self.client = client
        self._reverse_path = reverse_path
        self._running: asyncio.Task[Any] | None = None  # the one that awaits verdicts
        self._is_aborted = False
        self.findings = NOTHING_FOUND  # for all recipients
        self._by_domain: dict[int, Findings] = {}  # for the recipients of each
        self._in_content = NOTHING_FOUND

    @property
    def read_content(self) -> bool:
        """Whether any check examines content."""
        return self._checks.read_content

    def recipient(self, recipient: HostedRecipient) -> CheckRefused | PendingRefusal | None:
        """Examine an admitted recipient; a coroutine where a check waits for something."""
        facts = ExaminedRecipient(self.client, self._reverse_path, recipient.path, recipient.domain)
        answer = self._checks.recipient(facts, partial(self._found_for, recipient.domain.id))
        if answer is None or isinstance(answer, CheckRefused):
            return answer
        return self._run(answer)

    def content(
        self,
        recipients: Mapping[str, HostedDomain],
        octets: int,
        read: Callable[[], AsyncGenerator[bytes, None]],
        client_name: str = "",
    ) -> PendingRefusal | None:
        """Examine complete content; None if no check reads it. Raises StoreError if it cannot.

        `client_name` is the confirmed PTR name of the client, "" without one.
        """
        domains = {domain.id: domain for domain in recipients.values()}
        facts = ExaminedContent(
            self.client._replace(name=client_name),
            self._reverse_path,
            tuple(recipients),
            octets,
            tuple(domains.values()),
        )
        answer = self._checks.content(facts, read, self._found_in_content)
        if isinstance(answer, CheckRefused):
            return _at_once(answer)
        return None if answer is None else self._run(answer)

    def abort(self) -> None:
        """End the transaction without mail being held, and any examination that is running."""
        self._is_aborted = True
        if self._running is not None:
            self._running.cancel()
        self._checks.abort()

    def findings_for(self, domains: Iterable[int]) -> Mapping[int, Findings]:
        """Return the findings for each of these domains; {} where there are none at all."""
        if self.findings is NOTHING_FOUND:  # as nearly always
            return {}
        return {one: self._findings_for_one(one) for one in set(domains)}

    def _findings_for_one(self, domain: int) -> Findings:
        findings = self._by_domain.get(domain, NOTHING_FOUND)
        for check, passed in self._in_content.by_check.items():
            if passed.domains is None or domain in passed.domains:
                findings = findings.with_one(check, passed)
        return findings

    def _found_for(self, domain: int, check: str, passed: CheckPassed) -> None:
        self.findings = self.findings.with_one(check, passed)
        known = self._by_domain.get(domain, NOTHING_FOUND)
        self._by_domain[domain] = known.with_one(check, passed)

    def _found_in_content(self, check: str, passed: CheckPassed) -> None:
        self.findings = self.findings.with_one(check, passed)
        self._in_content = self._in_content.with_one(check, passed)

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
