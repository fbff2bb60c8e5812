"""The parts of a store through which held content goes, each in front of the part below.

Other parts are those of the store below.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import replace
from secrets import token_bytes
from typing import Any, Final, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.mail.delivery_report import NewReport, Report
from restante.mail.message import ContentFile, FileSeal, HeldMessage, NewMessage
from restante.queue.recipient_status import MessageOutcome
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.queue.sending_outcome import SendingOutcome
from restante.store.content_store import ContentStore
from restante.store.handover_store import Drain, HandoverStore
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain
from restante.store.queue_store import MessageBounce, QueueStore
from restante.store.reception_store import ContentSpool, ReceptionStore
from restante.store.report_store import ReportStore
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.report_seals import ReportSeals
from restante.store.sealing.sealed_form import SALT, FileOpener, open_beginning, sealed_beginning
from restante.store.sealing.sealed_message import as_stored, open_message, seal_message
from restante.store.sealing.sealed_spool import SealedSpool
from restante.store.store_errors import Damaged, StoreError
from restante.tenancy.audit import AuditEntry
from restante.tenancy.sealed_secrets import SealBroken

_NO_KEY = "the key of its content is missing"
_UNOPENED_PAUSE: Final = 3600.0  # seconds until a report that does not open is tried again


class MessageOpener:
    """Opens messages, and has those marked that do not open."""

    def __init__(self, content: ContentStore, ring: KeyRing) -> None:
        self._content = content
        self._ring = ring

    async def opened(self, messages: Sequence[HeldMessage]) -> list[HeldMessage]:
        """Return those that open. Raises StoreError."""
        sealed = {message.domain_id for message in messages if message.is_sealed}
        if not sealed:
            return list(messages)
        keys = await self._ring.for_opening(sealed)
        opened = []
        for message in messages:
            try:
                opened.append(_opened(message, keys) if message.is_sealed else message)
            except SealBroken as broken:
                await self._content.park_unopened(message.number, message.domain_id, str(broken))
        return opened

    async def opened_one(self, message: HeldMessage) -> HeldMessage:
        """Return one message if it opens. Raises Damaged, StoreError."""
        if not message.is_sealed:
            return message
        keys = await self._ring.for_opening({message.domain_id})
        try:
            return _opened(message, keys)
        except SealBroken as broken:
            await self._content.park_unopened(message.number, message.domain_id, str(broken))
            raise Damaged(str(broken)) from broken


def _opened(message: HeldMessage, keys: Mapping[int, AESGCM]) -> HeldMessage:
    key = keys.get(message.domain_id)
    if key is None:
        raise SealBroken(_NO_KEY)
    return open_message(message, key)


class SealedReception:
    """A `ReceptionStore` whose mail is sealed before it is held."""

    def __init__(self, below: ReceptionStore, ring: KeyRing) -> None:
        self._below = below
        self._ring = ring
        self._in_turn = asyncio.Lock()  # numbers must grow, also while a key is made
        self.numbers = below.numbers
        self.discard = below.discard

    async def hold(
        self, messages: Sequence[NewMessage], quotas: QuotasByDomain = NO_QUOTAS
    ) -> Mapping[int, StoreError]:
        """Hold these, sealed."""
        async with self._in_turn:
            keys = await self._ring.for_sealing({message.domain_id for message in messages})
        random = token_bytes(SALT * len(messages))  # one draw: it takes as long as a seal
        sealed = [
            seal_message(message, keys[message.domain_id], random[at : at + SALT])
            for at, message in zip(range(0, len(random), SALT), messages, strict=True)
        ]
        return await self._below.hold(sealed, quotas)

    def open_spool(self) -> ContentSpool:
        """Begin large content."""
        return SealedSpool(self._below.open_spool())

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second durable name."""
        copy = await self._below.duplicate(as_stored(file) if file.seal else file)
        return replace(file, name=copy.name)


class SealedContent:
    """A `ContentStore` that opens what is sealed."""

    def __init__(self, below: ContentStore) -> None:
        self._below = below
        self.park_unopened = below.park_unopened

    def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks."""
        if file.seal is None:
            return self._below.read_file(file)
        return self._opened(file, file.seal)

    async def _opened(self, file: ContentFile, seal: FileSeal) -> AsyncGenerator[bytes, None]:
        opener = FileOpener(seal.key)
        blocks = cast("AsyncGenerator[bytes, None]", self._below.read_file(as_stored(file)))
        try:
            async for block in blocks:
                if opened := opener.add(block):
                    yield opened
            if last := opener.end():
                yield last
        except SealBroken as broken:
            raise await self._damage(seal, broken) from broken
        finally:
            await blocks.aclose()

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of a content file, and return so many of its first octets."""
        if file.seal is None:
            return await self._below.prove_file(file, beginning)
        stored = await self._below.prove_file(as_stored(file), sealed_beginning(beginning))
        return await self._opened_beginning(file.seal, stored, beginning)

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        if file.seal is None:
            return await self._below.read_beginning(file, octets)
        stored = await self._below.read_beginning(as_stored(file), sealed_beginning(octets))
        return await self._opened_beginning(file.seal, stored, octets)

    async def _opened_beginning(self, seal: FileSeal, stored: bytes, octets: int) -> bytes:
        try:
            return open_beginning(seal.key, stored, octets)
        except SealBroken as broken:
            raise await self._damage(seal, broken) from broken

    async def _damage(self, seal: FileSeal, broken: SealBroken) -> Damaged:
        if seal.number:
            await self._below.park_unopened(seal.number, seal.domain_id, str(broken))
        return Damaged(str(broken))


class SealedHandover:
    """A `HandoverStore` that opens what is sealed."""

    def __init__(
        self, below: HandoverStore, opener: MessageOpener, seals: ReportSeals | None
    ) -> None:
        """`seals` seals reports; without it they are kept as they are."""
        self._below = below
        self._opener = opener
        self._seals = seals
        self.open_drain = below.open_drain
        self.claimable_drains = below.claimable_drains
        self.take_over = below.take_over
        self.give_back = below.give_back
        self.asked = below.asked
        self.ask_stop = below.ask_stop
        self.lease_left = below.lease_left
        self.is_draining = below.is_draining
        self.open_drains = below.open_drains
        self.finish_drain = below.finish_drain
        self.close_drain = below.close_drain
        self.follow_drain = below.follow_drain
        self.past_drains = below.past_drains

    def settle(
        self,
        drain: Drain,
        outcomes: Sequence[MessageOutcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> Coroutine[Any, Any, None]:
        """Record the outcomes of these recipients, with the reports on them."""
        return self._below.settle(drain, outcomes, _sealed(reports, self._seals), at)

    async def held(
        self,
        domain_id: int,
        after: int,
        limit: int,
        max_octets: int,
        *,
        with_origins: bool = False,
        mark: int = 0,
    ) -> list[HeldMessage]:
        """Return messages with a held recipient whose place is above `after`, in this order."""
        while True:
            found = await self._below.held(
                domain_id, after, limit, max_octets, with_origins=with_origins, mark=mark
            )
            opened = await self._opener.opened(found)
            if opened or not found:  # an empty answer is the end
                return opened
            after = found[-1].place


class SealedQueue:
    """A `QueueStore` that opens what is sealed."""

    def __init__(self, below: QueueStore, opener: MessageOpener, seals: ReportSeals | None) -> None:
        """`seals` seals reports; without it they are kept as they are."""
        self._below = below
        self._opener = opener
        self._seals = seals
        self.list_queue = below.list_queue
        self.queue_page = below.queue_page
        self.delete = below.delete
        self.release_refused = below.release_refused

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients. Raises Damaged, StoreError."""
        found = await self._below.message(number)
        return None if found is None else await self._opener.opened_one(found)

    async def bounce(self, bounces: Sequence[MessageBounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them; return the numbers concerned."""
        if self._seals is not None:
            bounces = [
                one if one.report is None else replace(one, report=self._seals.sealed(one.report))
                for one in bounces
            ]
        return await self._below.bounce(bounces, audit)


def _sealed(reports: Sequence[NewReport], seals: ReportSeals | None) -> Sequence[NewReport]:
    return [seals.sealed(report) for report in reports] if reports and seals else reports


class SealedReports:
    """A `ReportStore` that seals reports if it is told to, and opens what is sealed."""

    def __init__(
        self, below: ReportStore, opener: MessageOpener, seals: ReportSeals, *, is_sealing: bool
    ) -> None:
        self._below = below
        self._opener = opener
        self._seals = seals
        self._new_seals = seals if is_sealing else None
        self.next_report_at = below.next_report_at
        self.report_backlog = below.report_backlog
        self.success_reports = below.success_reports
        self.settle_reports = below.settle_reports
        self.hasten_reports = below.hasten_reports
        self.list_reports = below.list_reports
        self.drop_reports = below.drop_reports
        self.sealed_reports = below.sealed_reports
        self.plain_reports = below.plain_reports
        self.replace_report_contents = below.replace_report_contents

    async def due_reports(
        self, now: float, limit: int, max_octets: int, occupied: OccupiedLanes = NONE_OCCUPIED
    ) -> list[Report]:
        """Return the reports whose next attempt is due and for which a lane is free.

        One that does not open is deferred, with the cause as its reply. It delays no other.
        """
        while True:
            found = await self._below.due_reports(now, limit, max_octets, occupied)
            opened, unopened = [], []
            for report in found:
                try:
                    opened.append(self._seals.opened(report))
                except SealBroken as broken:
                    again_at = now + _UNOPENED_PAUSE
                    unopened.append(SendingOutcome(report.number, again_at, str(broken)))
            if unopened:
                await self._below.settle_reports(unopened)
            if opened or not found:
                return opened

    async def report(self, number: int) -> Report | None:
        """Return a report, None if it does not wait. Raises Damaged, StoreError."""
        found = await self._below.report(number)
        try:
            return found and self._seals.opened(found)
        except SealBroken as broken:
            raise Damaged(f"report {number}: {broken}") from broken

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told."""
        await self._below.tell_of_delay(numbers, _sealed(reports, self._new_seals))

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages whose sender is still owed a report of delay, oldest first."""
        return await self._opener.opened(await self._below.late_messages(received_before, limit))
