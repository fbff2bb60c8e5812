"""The port of a store for handing held mail over: drains, the mail of one, and its outcomes.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from restante.mail.delivery_report import NewReport
from restante.mail.message import HeldMessage
from restante.queue.drain_word import DrainEnd, DrainWay
from restante.queue.recipient_status import MessageOutcome


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain that is to run, or runs.

    It outlives the process: without an owner, it is taken over.
    """

    domain_id: int
    number: int  # fencing number: grows each time somebody takes the drain up
    requested_at: float
    deadline: float  # patience: Unix time at which what is left is simply held again
    release: int = 0  # id of the release that it was opened for; 0: none
    requested_by: str = ""  # "login alice", "operator", …; "" for a drain of an earlier version
    way: DrainWay = DrainWay.DESTINATION


@dataclass(frozen=True, slots=True)
class JoinedDrain:
    """A drain that was open before: its owner is asked for a new round."""

    drain: Drain  # with its new deadline
    times: int  # how often it was joined since it was opened or taken over


@dataclass(frozen=True, slots=True)
class DrainRequests:
    """The requests of others to a drain's owner."""

    domain_id: int
    times: int  # how often it was joined since it was opened or taken over
    deadline: float  # Unix time: its patience, which requests prolong
    stop: str  # why it must end; "" if it need not
    is_lost: bool = False  # it is over, or another has taken it over: its owner must stop at once
    way: DrainWay = DrainWay.DESTINATION  # that it has now


@dataclass(frozen=True, slots=True)
class PastDrain:
    """How a domain's last drain went. Times are Unix time, counts are of messages."""

    started_at: float
    ended_at: float
    requested_by: str  # "login alice", "operator", …
    end: DrainEnd
    reason: str  # why it ended
    delivered: int
    deferred: int
    refused: int
    last_error: (
        str  # the last thing that went wrong, mostly in the destination's words; "" for nothing
    )
    uncertain: int = 0  # not among the refused
    taker: str = ""  # the destination, if it has ever taken mail


@dataclass(frozen=True, slots=True)
class WantedDrain:
    """A drain that takes the place of another. Times are Unix time."""

    at: float  # now
    deadline: float
    requested_by: str
    release: int = 0  # that it is for, if none has joined the one before; 0 for none


class HandoverStore(Protocol):
    """Which drains are to run, and the mail that they move."""

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
        """Return messages with a held recipient whose place is above `after`, in this order.

        The oldest are first. Suspect mail comes behind them, then mail that a policy deferred in
        earlier drains than the one with this mark (`HeldMessage.place`). While that drain runs, no
        message changes its place. Origins are left out, unless they are asked for. At most `limit`
        are returned, and no more once `max_octets` are in memory (content files do not count); at
        least one if there is one. A message found damaged is reported and skipped, so that it
        blocks no other. Its recipients become damaged, with a reply that begins with DAMAGED. An
        operator can delete it, or release it again once it is repaired.
        """

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[MessageOutcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients at `at`, Unix time.

        A message with no recipient left is removed with its file. A recipient that is no longer
        there (deleted meanwhile) is skipped. The reports on these outcomes are stored in the same
        transaction. A report with no held recipient is skipped, so that settling the same again
        reports nothing twice. Raises LeaseLost if another has taken the drain over. The destination
        may then get a message twice, but never not at all.
        """

    async def open_drain(
        self,
        domain_id: int,
        requested_at: float,
        deadline: float,
        release: int = 0,
        requested_by: str = "",
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> Drain | JoinedDrain:
        """Record a drain, which is the caller's to run; or join the one that is open.

        A drain that is joined has the later of both deadlines, and its owner reads in `asked` that
        it was joined. A stop that was asked for before no longer counts. From now on its messages
        count for the release with this id (release_store.py), if one is given. Raises Conflict if
        the domain no longer exists.

        A drain of named messages that is joined for all mail becomes one of all mail. Named
        messages join any drain to the destination. Raises Conflict for them while a turnaround has
        the domain, or a drain that is to stop.
        """

    async def claimable_drains(self, running: Collection[Drain]) -> list[Drain]:
        """Return the open drains that nobody runs.

        These are the drains of owners that ended, and those that were opened or taken over here
        and are not among `running`.
        """

    async def take_over(self, drain: Drain) -> Drain | None:
        """Take over a claimable drain: its number grows, which fences its earlier owner.

        None if it is over, or another was faster. Requests that joined it count as done: its new
        owner begins with the oldest message anyway. A stop asked for still counts.
        """

    async def give_back(self, drains: Collection[Drain]) -> None:
        """Let others take these over at once: the caller runs them no longer, and they stay open.

        Nothing happens to one that is over or was taken over. Without this call, others wait until
        the lease of this process has ended.
        """

    async def asked(self, drains: Collection[Drain]) -> list[DrainRequests]:
        """Return the requests to the owner of these drains; nothing for those without any."""

    async def ask_stop(self, domain_id: int, reason: str) -> bool:
        """Ask the owner of a domain's drain to end it; return whether there is a drain."""

    def lease_left(self) -> float:
        """Return for how many seconds the drains of this process are certainly its own.

        From now on, without a word from the store: after that another may take them over. Infinite
        where nobody else can. No I/O.
        """

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has an open drain, as of the last commit. No I/O."""

    def open_drains(self) -> list[Drain]:
        """Return the open drains by domain, as of the last commit. No I/O."""

    async def finish_drain(
        self,
        drain: Drain,
        left_behind: int = 0,
        past: PastDrain | None = None,
        times: int = 0,
    ) -> bool:
        """Close it as `close_drain` does, but only if no mail waits for it; return whether it did.

        `left_behind` is how many messages it has tried and leaves held. If the domain holds more,
        some came meanwhile, or became held again: nothing changes, and the drain must look from
        the oldest message again. The figures are those of the same transaction, so mail that is
        durable before the end is never passed over. Raises LeaseLost if another has taken it over.

        A drain of named messages is finished whatever else is held, unless more requests joined it
        than the `times` that it knows.
        """

    async def close_drain(
        self, drain: Drain, past: PastDrain | None = None, at: float = 0.0
    ) -> None:
        """Give it up: record that it is over, and how it went, whatever the domain still holds.

        Nothing can be settled under it any more. Nothing happens if another has taken it over. None
        leaves what is known of the drain before; then `at` is its end, Unix time.
        """

    async def follow_drain(
        self, drain: Drain, wanted: WantedDrain, past: PastDrain | None = None
    ) -> Drain | None:
        """Close it as `close_drain` does, and open another to the destination in its place.

        The new one is the caller's to run. The releases that joined the old one go on with it, and
        count what both deliver. Nothing happens if another has taken the old one over: then the
        result is None.
        """

    async def past_drains(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went that has had one, by domain id.

        Given some ids, only those domains are looked at.
        """
