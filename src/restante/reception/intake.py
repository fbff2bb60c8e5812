"""Where responsibility for mail is taken: 250 follows durability, and this is the place.

Theory of operation. Dialogues submit complete messages. These wait here while the store writes the
batch before them; then all waiting messages form the next batch. On a shared database this waits a
moment for clients that were just answered (batch_gathering.py). So one sync acknowledges many
messages, and a single client waits for no other. If the store fails, the batch fails whole: each of
its senders gets 451 and keeps its copy. The store can also refuse single mails, whose domain was
removed meanwhile or has no room left; then the others are held.

Each further domain of a mail gets a copy of its file. Copies are made before the mail is submitted:
they can take minutes in an object store, and no other mail may wait for them.

Message numbers are assigned here, from the store's.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from restante.checks.findings import NOTHING_FOUND, Findings
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, NewMessage, message_name
from restante.mail.message_origin import MessageOrigin, shown_hello
from restante.mail.received_field import SessionFacts, received_field
from restante.reception.batch_gathering import BatchGathering
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain
from restante.store.reception_store import ReceptionStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import DefectPlace, WorkWord

BATCH_LIMIT = 500  # messages; a longer transaction delays settlements and saves no more syncs


@dataclass(slots=True)
class ReceivedMail:
    """One mail transaction whose content is complete."""

    origin: (
        SessionFacts | None
    )  # None: imported by hand. It has no Received field, and `received_at` is set
    envelope: Envelope
    domain_ids: Sequence[int]  # of each forward-path, in the same order
    content: bytes  # whole, or b"" if it is in `file`
    file: ContentFile | None
    on_held: Callable[["IntakeReceipt"], None]
    name: str = ""  # assigned by the intake
    received_at: float | None = None  # Unix time; None: now
    message_id: str | None = None
    findings: Mapping[int, Findings] = field(default_factory=dict)  # of checks, by domain
    imported_origin: MessageOrigin | None = None  # that of an export, where `origin` is None
    is_delay_told: bool = False  # another server has sent a delay report
    copies: Sequence[ContentFile] = ()  # of `file`, for all domains but the first


class IntakeReceipt(NamedTuple):
    """The result for a submitted message: held under a name, or not held."""

    name: str
    size: int = 0
    failure: StoreError | None = None
    message_id: str = ""  # "" where it has none, and where it is not held


class Intake:
    """Commits waiting messages together, so that one sync acknowledges many."""

    def __init__(
        self,
        store: ReceptionStore,
        log: Log,
        now: Callable[[], float],
        *,
        hostname: str,
        on_held: Callable[[Sequence[NewMessage]], None] = lambda _messages: None,
        quotas_of: Callable[[set[int]], QuotasByDomain] = lambda _domain_ids: NO_QUOTAS,
        gathering: BatchGathering | None = None,
    ) -> None:
        """`on_held` gets each batch once it is durable, before its senders are answered.

        `quotas_of` returns the quotas that apply to some domains. Without `gathering`, no batch
        waits for more mail.
        """
        self._store = store
        self._log = log
        self._now = now
        self._hostname = hostname
        self._numbers = store.numbers()
        self._on_held = on_held
        self._quotas_of = quotas_of
        self._waiting: list[ReceivedMail] = []
        self._wake = asyncio.Event()
        self._gathering = gathering or BatchGathering(commits=0)
        self._is_gathered = asyncio.Event()
        self._is_closing = False
        self.batches = 0  # held since the start
        self.seconds = 0.0  # that their commits took

    def submit(self, mail: ReceivedMail) -> None:
        """Hold this mail; its `on_held` is called once it is durable, or could not be held."""
        self._waiting.append(mail)
        self._wake.set()
        if self._gathering.is_enough(len(self._waiting)):
            self._is_gathered.set()

    async def copies_of(self, file: ContentFile, domain_ids: Sequence[int]) -> list[ContentFile]:
        """Make the copies of a mail to these domains. Raises StoreError; there is none then."""
        copies: list[ContentFile] = []
        try:
            for _ in range(len(set(domain_ids)) - 1):
                copies.append(await self._store.duplicate(file))  # noqa: PERF401  for `discard`
        except BaseException:
            self.discard(copies)
            raise
        return copies

    def discard(self, copies: Sequence[ContentFile]) -> None:
        """Remove the copies of a mail that is not held."""
        for copy in copies:
            self._store.discard(copy)

    async def run(self) -> None:
        """Hold submitted mail, batch after batch, until `close`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._gather()
                mails, self._waiting = self._waiting[:BATCH_LIMIT], self._waiting[BATCH_LIMIT:]
                await self._hold(mails)
                del mails  # otherwise the last batch and its sessions stay in memory until the next
            if self._is_closing:
                return

    def close(self) -> None:
        """Let `run` return once everything submitted is settled."""
        self._is_closing = True
        self._wake.set()
        self._is_gathered.set()

    async def _gather(self) -> None:
        """Wait a little for the clients of the last batch."""
        loop = asyncio.get_running_loop()
        seconds = self._gathering.seconds_left(loop.time(), len(self._waiting))
        if seconds and not self._is_closing:
            self._is_gathered.clear()
            timer = loop.call_later(seconds, self._is_gathered.set)
            try:
                await self._is_gathered.wait()
            finally:
                timer.cancel()

    async def _hold(self, mails: list[ReceivedMail]) -> None:
        messages: list[NewMessage] = []
        try:
            for mail in mails:
                self._add(messages, mail)
            quotas = self._quotas_of({one.domain_id for one in messages})
            begun = asyncio.get_running_loop().time()
            refused = await self._store.hold(messages, quotas)
            held = [one for one in messages if one.number not in refused]
            reasons = {message_name(number): reason for number, reason in refused.items()}
        except StoreError as error:
            self._log.publish(StoreFailed(error=error, doing=WorkWord.HOLD, messages=len(mails)))
            self._fail(mails, error)
        except Exception as error:  # noqa: BLE001  a defect here leaves no sender waiting
            self._log.publish(InternalError(error=error, doing=WorkWord.HOLD, messages=len(mails)))
            self._fail(mails, StoreError(repr(error)))
        else:
            ended = asyncio.get_running_loop().time()
            self.batches += 1
            self.seconds += ended - begun
            self._gathering.end_batch(ended, ended - begun, len(mails) + len(self._waiting))
            self._tell(held)
            for mail in mails:
                reason = reasons.get(mail.name)
                self._answer(
                    mail, IntakeReceipt(mail.name, _size(mail), reason, mail.message_id or "")
                )

    def _tell(self, messages: Sequence[NewMessage]) -> None:
        """Tell the listener of a batch; a defect there must not keep senders from their 250."""
        try:
            self._on_held(messages)
        except Exception as error:  # noqa: BLE001
            self._log.publish(
                InternalError(error=error, doing=DefectPlace.COUNT_MAIL, messages=len(messages))
            )

    def _fail(self, mails: Sequence[ReceivedMail], error: StoreError) -> None:
        for mail in mails:
            self._answer(mail, IntakeReceipt(mail.name, failure=error))

    def _answer(self, mail: ReceivedMail, receipt: IntakeReceipt) -> None:
        """Answer a dialogue; a defect in one must not leave the others without an answer."""
        try:
            mail.on_held(receipt)
        except Exception as error:  # noqa: BLE001
            self._log.publish(
                InternalError(error=error, doing=DefectPlace.ANSWER, message=receipt.name)
            )
        if receipt.failure is not None:
            self.discard(mail.copies)

    def _add(self, messages: list[NewMessage], mail: ReceivedMail) -> None:
        """Make a message per hosted domain from one mail: two accounts never share a message."""
        now = self._now()
        first = self._numbers.next(now)
        mail.name = message_name(first)
        content = mail.content
        if mail.origin:
            content = self._received_field(mail.origin, mail, now) + content
        heads: dict[bytes, bytes] = {}  # by the fields of checks; domains with the same share one
        received_at = now if mail.received_at is None else mail.received_at
        parts = _parts_by_domain(mail)
        for index, (domain_id, forward_paths) in enumerate(parts.items()):
            number = first if index == 0 else self._numbers.next(now)
            envelope = mail.envelope if len(parts) == 1 else mail.envelope.part(forward_paths)
            findings = mail.findings.get(domain_id, NOTHING_FOUND)
            fields = findings.header  # above our Received field
            head = heads.setdefault(fields, fields + content) if fields else content
            if findings.is_suspect:
                envelope = envelope._replace(is_suspect=True)
            file = mail.file
            if file is not None and index > 0:
                file = mail.copies[index - 1]
            messages.append(
                NewMessage(
                    number,
                    domain_id,
                    envelope,
                    received_at,
                    head,
                    file,
                    mail.is_delay_told,
                    first=first,
                    origin=_kept_origin(mail, findings),
                    message_id=mail.message_id,
                )
            )

    def _received_field(self, origin: SessionFacts, mail: ReceivedMail, now: float) -> bytes:
        paths = mail.envelope.forward_paths
        return received_field(
            origin,
            by=self._hostname,
            name=mail.name,
            only_recipient=paths[0] if len(paths) == 1 else "",
            at=now,
            is_smtputf8=mail.envelope.needs_smtputf8,
        )


async def hold_all(intake: Intake, mails: Sequence[ReceivedMail]) -> list[IntakeReceipt]:
    """Submit these, and return the receipt of each once all are settled."""
    settled = [asyncio.get_running_loop().create_future() for _ in mails]
    for mail, future in zip(mails, settled, strict=True):
        copies: Sequence[ContentFile] = ()
        if mail.file is not None:
            try:
                copies = await intake.copies_of(mail.file, mail.domain_ids)
            except StoreError as error:
                _settle(future, IntakeReceipt("", failure=error))
                continue
        intake.submit(replace(mail, on_held=partial(_settle, future), copies=copies))
    return [await future for future in settled]


def _settle(future: "asyncio.Future[IntakeReceipt]", receipt: IntakeReceipt) -> None:
    if not future.done():  # its waiter may have left
        future.set_result(receipt)


def _kept_origin(mail: ReceivedMail, findings: Findings) -> MessageOrigin | None:
    """Return the origin to keep: the facts of the session, and the verdicts for a domain."""
    origin = mail.origin
    if origin is None:
        imported = mail.imported_origin
        return None if imported is None else imported._replace(is_imported=True)
    return MessageOrigin(
        origin.address,
        origin.port,
        shown_hello(origin.client_name),
        origin.tls,
        origin.host_name,
        findings.verdicts,
        origin.ptr,
    )


def _parts_by_domain(mail: ReceivedMail) -> dict[int, tuple[str, ...]]:
    if len(mail.domain_ids) == 1:
        return {mail.domain_ids[0]: mail.envelope.forward_paths}
    parts: dict[int, list[str]] = {}
    for domain_id, path in zip(mail.domain_ids, mail.envelope.forward_paths, strict=True):
        parts.setdefault(domain_id, []).append(path)
    return {domain_id: tuple(paths) for domain_id, paths in parts.items()}


def _size(mail: ReceivedMail) -> int:
    return len(mail.content) + (mail.file.size if mail.file else 0)
