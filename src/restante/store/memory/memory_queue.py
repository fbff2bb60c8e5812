"""Held mail as the operator sees and changes it, in a store that forgets."""

from collections.abc import Sequence
from dataclasses import replace

from restante.mail.message import HeldMessage
from restante.queue.recipient_status import Move, RecipientOutcome, RecipientStatus
from restante.store.mail_queue import Bounce, QueuedMessage, QueueFilter, QueuePage
from restante.store.memory.memory_history import keep_outcomes, keep_removed
from restante.store.memory.memory_record import handed_out, listed, selects
from restante.store.memory.memory_state import MemoryState
from restante.tenancy.audit import AuditEntry


class MemoryQueue:
    """A `QueueStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""
        records = (
            record for record in self._state.mail.values() if selects(selection, record.message)
        )
        shown = (listed(record, selection) for record in records)
        return [message for message in shown if message.recipients][: selection.limit]

    async def queue_page(self, selection: QueueFilter) -> QueuePage:
        """Return the first messages of a listing."""
        found = await self.list_queue(replace(selection, limit=selection.limit + 1))
        page = found[: selection.limit]
        return QueuePage(page, page[-1].number if len(found) > len(page) else None)

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None."""
        record = self._state.mail.get(number)
        if record is None:
            return None
        return handed_out(record, record.all_paths)._replace(origin=record.message.origin)

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        present = [number for number in dict.fromkeys(numbers) if number in self._state.mail]
        for number in present:
            record = self._state.mail[number]
            keep_removed(self._state, record, record.all_paths, Move.DELETED, audit.at)
            self._state.forget(number)
        self._state.trail.append(audit)
        return len(present)

    async def release_refused(
        self, numbers: Sequence[int], audit: AuditEntry, status: RecipientStatus | None = None
    ) -> int:
        """Hold refused and set-apart recipients again; return how many messages had some."""
        records = [
            self._state.mail[number]
            for number in dict.fromkeys(numbers)
            if number in self._state.mail
        ]
        concerned = [record for record in records if record.release_again(audit.at, status)]
        self._state.trail.append(audit)
        return len(concerned)

    async def bounce(self, bounces: Sequence[Bounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        done = []
        for bounce in bounces:
            record = self._state.mail.get(bounce.number)
            if (
                record is not None
                and bounce.forward_paths
                and set(bounce.forward_paths) <= set(record.all_paths)
            ):
                bounced = [RecipientOutcome(path, Move.BOUNCED) for path in bounce.forward_paths]
                keep_outcomes(self._state, record, bounced, audit.at)
                record.give_up(bounce.forward_paths)
                if not record.all_paths:
                    self._state.forget(bounce.number)
                self._state.reports.keep([bounce.report] if bounce.report else [])
                done.append(bounce.number)
        self._state.trail.append(audit)
        return done
