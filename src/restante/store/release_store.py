"""The port of a store for requests to release mail, and the results of each.

Part of the contract in interface.py, whose rules hold here. A request is recorded with its
result. A drain has an account for each release that it works for, which `open_drain` begins,
`settle` moves, and the end of the drain closes. So the counts survive a crash, and a server that
takes a drain over goes on with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from restante.queue.drain_word import DrainEnd, DrainWay
from restante.tenancy.audit import AuditEntry
from restante.tenancy.release_result import ReleaseResult


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A request for release, as it was answered."""

    id: int  # grows from request to request; never the number of a message
    at: float  # Unix time
    actor: str  # "login alice", "operator root", "policy on-return"
    acted_from: str  # the address or the place that it came from
    target: str  # as it was asked for
    account: str  # whose mail; "" for nobody's
    domain: str  # the one that it names; "" for none or several
    result: ReleaseResult
    reason: str  # the true one
    pending: int  # messages released, at the time of the request
    way: DrainWay = DrainWay.DESTINATION  # of its mail


@dataclass(frozen=True, slots=True)
class ReleaseProgress:
    """The progress of a release: sums over its drains. Counts are of messages since the request."""

    drains: int = 0  # domains whose mail was released
    open: int = 0  # of them, those whose drain is not over
    delivered: int = 0
    refused: int = 0
    uncertain: int = 0  # not among the refused
    left: int = 0  # held at the end, of the drains that are over
    ended_at: float | None = None  # Unix time of the last end; None while one is open, or for none
    ends: tuple[DrainEnd, ...] = ()  # how they ended, each once


@dataclass(frozen=True, slots=True)
class PastRelease:
    """A release, running or over."""

    record: ReleaseRecord
    progress: ReleaseProgress


@dataclass(frozen=True, slots=True)
class ReleaseDrain:
    """The drain of one domain, as far as it worked for a release."""

    domain_id: int
    delivered: int
    refused: int
    uncertain: int
    left: int  # held at its end; 0 while it is open
    ended_at: float | None  # Unix time; None while it is open
    end: DrainEnd | None  # None while it is open


@dataclass(frozen=True, slots=True)
class ReleaseFilter:
    """Which releases are wanted. None means any."""

    ids: tuple[int, ...] | None = None
    account: str | None = None
    domain: tuple[str, int] | None = None  # name and id: it was named, or its mail was released
    since: float | None = None  # Unix time, inclusive
    until: float | None = None  # Unix time, exclusive
    before: int | None = None  # an id: for paging
    limit: int = 100


class ReleaseStore(Protocol):
    """Requests to release mail."""

    def next_id(self, now: float) -> int:
        """Return an id for a new request, which no message and no other request has.

        At least `now` in microseconds. No I/O.
        """

    async def record_release(self, release: ReleaseRecord, audit: AuditEntry) -> None:
        """Keep a request and its entry of the audit trail. A later answer replaces an earlier."""

    async def releases(self, wanted: ReleaseFilter) -> list[PastRelease]:
        """Return the releases that match, the newest first. Raises SearchTooLong."""

    async def release_drains(self, release: int, limit: int) -> Sequence[ReleaseDrain]:
        """Return the drains of a release by domain, at most so many."""

    async def trim_releases(self, before: float, limit: int) -> int:
        """Forget the releases before this Unix time, in at most `limit` rows.

        Returns how many rows were removed: call it again if that is `limit`.
        """
