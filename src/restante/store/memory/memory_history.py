"""The history port of the store in memory, and the entries that the other parts make."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from restante.mail.address import path_matches
from restante.mail.message_origin import NO_VERDICTS
from restante.queue.drain_word import DrainWay
from restante.queue.history import (
    RECORDED,
    REPLY_LIMIT,
    HistoryEntry,
    HistoryFigures,
    HistoryFilter,
    HistoryPage,
    recorded_way,
)
from restante.queue.recipient_status import RecipientMove, RecipientOutcome
from restante.store.memory.memory_message import MemoryMessage
from restante.store.memory.memory_state import MemoryState
from restante.store.stored_form.origin_column import past_origin_text
from restante.tenancy.history_detail import HistoryDetail, reply_code, shortened

_NUMBERS_OCTETS = 60  # of an entry, beside its texts


class MemoryHistory:
    """A `HistoryStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def history(self, selection: HistoryFilter) -> list[HistoryEntry]:
        """Return the entries that match, the newest first."""
        found = (entry for entry in reversed(self._state.history) if _matches(entry, selection))
        return [
            replace(entry, way=self._way(entry))
            for entry, _ in zip(found, range(selection.limit), strict=False)
        ]

    def _way(self, entry: HistoryEntry) -> DrainWay | None:
        found = self._state.releases.get(entry.release)
        return recorded_way(entry.drain, entry.release, None if found is None else found.way)

    async def history_page(self, selection: HistoryFilter) -> HistoryPage:
        """Return the newest entries that match."""
        found = await self.history(replace(selection, limit=selection.limit + 1))
        page = found[: selection.limit]
        return HistoryPage(page, page[-1].id if len(found) > len(page) else None)

    async def history_figures(self) -> HistoryFigures:
        """Return how much there is."""
        entries = self._state.history
        oldest_at = entries[0].at if entries else None
        return HistoryFigures(len(entries), sum(map(_octets, entries)), oldest_at)

    async def trim_history(self, before: float, octets: int | None, limit: int) -> int:
        """Remove what is too old, and the oldest beyond so many octets."""
        entries = self._state.history
        excess = 0 if octets is None else sum(map(_octets, entries)) - octets
        removed = 0
        while entries and removed < limit and (entries[0].at < before or excess > 0):
            excess -= _octets(entries.pop(0))
            removed += 1
        return removed

    async def history_domains(self) -> list[int]:
        """Return the ids of the domains that have entries."""
        return sorted({entry.domain_id for entry in self._state.history})

    async def forget_history(self, domain_ids: Sequence[int], limit: int) -> int:
        """Remove at most `limit` entries of these domains."""
        doomed = [entry for entry in self._state.history if entry.domain_id in domain_ids][:limit]
        ids = {entry.id for entry in doomed}
        self._state.history = [entry for entry in self._state.history if entry.id not in ids]
        return len(doomed)


def record_outcomes(
    state: MemoryState,
    kept: MemoryMessage,
    outcomes: Iterable[RecipientOutcome],
    at: float,
    *,
    drain: int = 0,
    release: int = 0,
) -> None:
    """Keep the outcomes of a message's recipients, of those moves that history records."""
    message = kept.message
    domain = state.directory.domain_by_id(message.domain_id)
    account = state.directory.accounts.get(domain.account) if domain is not None else None
    detail = account.history if account is not None else HistoryDetail.FULL
    if detail is HistoryDetail.NONE:
        return
    for outcome in outcomes:
        if outcome.move not in RECORDED:
            continue
        entry = HistoryEntry(
            id=state.history[-1].id + 1 if state.history else 1,
            at=at,
            outcome=outcome.move,
            domain_id=message.domain_id,
            number=message.number,
            received_at=message.received_at,
            octets=message.size,
            reverse_path=message.envelope.reverse_path,
            forward_path=outcome.forward_path,
            client=message.origin.address if message.origin is not None else "",
            message_id=message.message_id or "",
            reply=outcome.reply[:REPLY_LIMIT],
            drain=drain,
            release=release,
            origin=message.origin,
        )
        state.history.append(_without_names(entry) if detail is HistoryDetail.DOMAIN else entry)


def record_removed(
    state: MemoryState, kept: MemoryMessage, paths: Iterable[str], move: RecipientMove, at: float
) -> None:
    """Keep that these recipients of a message are removed."""
    outcomes = [RecipientOutcome(path, move, kept.replies.get(path, "")) for path in paths]
    record_outcomes(state, kept, outcomes, at)


def _without_names(entry: HistoryEntry) -> HistoryEntry:
    return replace(
        entry,
        reverse_path=shortened(entry.reverse_path),
        forward_path=shortened(entry.forward_path),
        reply=reply_code(entry.reply),
        origin=entry.origin and entry.origin._replace(verdicts=NO_VERDICTS),
    )


def _octets(entry: HistoryEntry) -> int:
    texts = (entry.reverse_path, entry.forward_path, entry.client, entry.message_id, entry.reply)
    origin = len(past_origin_text(entry.origin)) if entry.origin is not None else 0
    return _NUMBERS_OCTETS + sum(len(text.encode()) for text in texts) + origin


def _matches(entry: HistoryEntry, selection: HistoryFilter) -> bool:
    return (
        (selection.domain_ids is None or entry.domain_id in selection.domain_ids)
        and selection.number in (None, entry.number)
        and selection.message_id in (None, entry.message_id)
        and selection.outcome in (None, entry.outcome)
        and (selection.since is None or entry.at >= selection.since)
        and (selection.until is None or entry.at < selection.until)
        and (selection.before is None or entry.id < selection.before)
        and (
            selection.reverse_path is None
            or path_matches(entry.reverse_path, selection.reverse_path)
        )
        and (selection.recipient is None or path_matches(entry.forward_path, selection.recipient))
    )
