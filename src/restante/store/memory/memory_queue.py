"""Held mail as the operator sees and changes it, in a store that forgets."""

from collections.abc import Sequence
from dataclasses import replace

from restante.mail.message import HeldMessage
from restante.queue.recipient_status import RecipientMove, RecipientStatus
from restante.store.memory.memory_history import record_outcomes, record_removed
from restante.store.memory.memory_message import handed_out, listed, selects
from restante.store.memory.memory_state import MemoryState
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueFilter, QueuePage
from restante.tenancy.audit import AuditEntry


class MemoryQueue:
    """A `QueueStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""
        messages = (kept for kept in self._state.mail.values() if selects(selection, kept.message))
        shown = (listed(kept, selection) for kept in messages)
        return [message for message in shown if message.recipients][: selection.limit]

    async def queue_page(self, selection: QueueFilter) -> QueuePage:
        """Return the first messages of a listing."""
        found = await self.list_queue(replace(selection, limit=selection.limit + 1))
        page = found[: selection.limit]
        return QueuePage(page, page[-1].number if len(found) > len(page) else None)

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None."""
        kept = self._state.mail.get(number)
        if kept is None:
            return None
        return handed_out(kept, kept.all_paths)._replace(origin=kept.message.origin)

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        present = [number for number in dict.fromkeys(numbers) if number in self._state.mail]
        for number in present:
            kept = self._state.mail[number]
            record_removed(self._state, kept, kept.all_paths, RecipientMove.DELETED, audit.at)
            self._state.forget(number)
        self._state.trail.append(audit)
        return len(present)

    async def release_refused(
        self, numbers: Sequence[int], audit: AuditEntry, status: RecipientStatus | None = None
    ) -> int:
        """Hold refused and set-apart recipients again; return how many messages had some."""
        messages = [
            self._state.mail[number]
            for number in dict.fromkeys(numbers)
            if number in self._state.mail
        ]
        concerned = [kept for kept in messages if kept.release_again(audit.at, status)]
        self._state.trail.append(audit)
        return len(concerned)

    async def bounce(self, bounces: Sequence[MessageBounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        done = []
        for bounce in bounces:
            kept = self._state.mail.get(bounce.number)
            if (
                kept is not None
                and bounce.forward_paths
                and set(bounce.forward_paths) <= set(kept.all_paths)
            ):
                record_outcomes(self._state, kept, bounce.outcomes, audit.at)
                kept.give_up(bounce.forward_paths)
                if not kept.all_paths:
                    self._state.forget(bounce.number)
                self._state.reports.keep([bounce.report] if bounce.report else [])
                done.append(bounce.number)
        self._state.trail.append(audit)
        return done
