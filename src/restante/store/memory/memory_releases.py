"""Releases in a store that forgets, and the accounts that drains have for them."""

from collections.abc import Sequence

from restante.queue.recipient_status import RecipientMove
from restante.store.memory.memory_state import MemoryState
from restante.store.release_store import (
    PastRelease,
    ReleaseDrain,
    ReleaseFilter,
    ReleaseProgress,
    ReleaseRecord,
)
from restante.tenancy.audit import AuditEntry


class MemoryReleases:
    """A `ReleaseStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def next_id(self, now: float) -> int:
        """Return an id of those that messages have too."""
        return self._state.numbers.next(now)

    async def record_release(self, release: ReleaseRecord, audit: AuditEntry) -> None:
        """Keep a request and its entry of the audit trail."""
        self._state.trail.append(audit)
        self._state.releases[release.id] = release

    async def releases(self, wanted: ReleaseFilter) -> list[PastRelease]:
        """Return the releases that match, the newest first."""
        found = [
            PastRelease(record, self._progress(record.id))
            for _, record in sorted(self._state.releases.items(), reverse=True)
            if self._matches(record, wanted)
        ]
        return found[: wanted.limit]

    async def release_drains(self, release: int, limit: int) -> Sequence[ReleaseDrain]:
        """Return the drains of a release by domain."""
        return self._drains(release)[:limit]

    async def trim_releases(self, before: float, limit: int) -> int:
        """Forget the oldest."""
        shares = [key for key in sorted(self._state.release_drains) if key[0] < before * 1e6]
        for key in shares[:limit]:
            del self._state.release_drains[key]
        old = [one for one in sorted(self._state.releases) if one < before * 1e6]
        room = max(0, limit - len(shares))
        for one in old[:room]:
            del self._state.releases[one]
        return min(limit, len(shares)) + min(room, len(old))

    def _matches(self, record: ReleaseRecord, wanted: ReleaseFilter) -> bool:
        return (
            (wanted.ids is None or record.id in wanted.ids)
            and wanted.account in (None, record.account)
            and (wanted.domain is None or self._concerns(record, *wanted.domain))
            and (wanted.since is None or record.at >= wanted.since)
            and (wanted.until is None or record.at < wanted.until)
            and (wanted.before is None or record.id < wanted.before)
        )

    def _concerns(self, record: ReleaseRecord, name: str, domain_id: int) -> bool:
        return record.domain == name or (record.id, domain_id) in self._state.release_drains

    def _drains(self, release: int) -> list[ReleaseDrain]:
        shares = sorted(self._state.release_drains.items(), key=lambda item: item[0])
        return [
            ReleaseDrain(
                domain_id,
                share.moved.get(RecipientMove.DELIVERED, 0),
                share.moved.get(RecipientMove.REFUSED, 0),
                share.moved.get(RecipientMove.UNCERTAIN, 0),
                share.left,
                share.ended_at,
                share.end,
            )
            for (of, domain_id), share in shares
            if of == release
        ]

    def _progress(self, release: int) -> ReleaseProgress:
        drains = self._drains(release)
        ends = [one.ended_at for one in drains if one.ended_at is not None]
        is_over = len(ends) == len(drains)
        return ReleaseProgress(
            drains=len(drains),
            open=len(drains) - len(ends),
            delivered=sum(one.delivered for one in drains),
            refused=sum(one.refused for one in drains),
            uncertain=sum(one.uncertain for one in drains),
            left=sum(one.left for one in drains),
            ended_at=max(ends, default=None) if is_over else None,
            ends=tuple(sorted({one.end for one in drains if one.end})),
        )
