"""The history of mail: one entry for each recipient that left, or that was refused.

An entry has no content and no subject. It is written in the same transaction that moves the
recipient, so the two cannot disagree.
"""

from dataclasses import dataclass
from typing import Final

from restante.mail.message_origin import MessageOrigin
from restante.queue.drain_word import DrainWay
from restante.queue.recipient_status import RecipientMove

REPLY_LIMIT: Final = 1000  # characters of a destination's reply that an entry keeps
RECORDED: Final = (  # the moves that make an entry; a store spells them by their place here
    RecipientMove.DELIVERED,
    RecipientMove.REFUSED,
    RecipientMove.UNCERTAIN,
    RecipientMove.BOUNCED,
    RecipientMove.DELETED,
    RecipientMove.EXPIRED,
)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """The outcome for one recipient. Times are Unix time."""

    id: int  # grows from entry to entry
    at: float
    outcome: RecipientMove
    domain_id: int
    number: int  # of the message
    received_at: float
    octets: int  # of the message
    reverse_path: str  # "" is the null reverse-path
    forward_path: str
    client: str  # the address that the message came from, "" where it is not known
    message_id: str  # "" where the message has none
    reply: str  # the destination's; "" where it was not asked
    drain: int  # the fencing number of the drain that moved it, 0 if none did
    release: int = 0  # the id of the release that opened that drain, 0 if none did
    way: DrainWay | None = None  # of that drain; None without one, or if the release is forgotten
    origin: MessageOrigin | None = None  # None where it is not known, as for earlier entries


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which entries are wanted. None means any."""

    domain_ids: tuple[int, ...] | None = None
    number: int | None = None
    message_id: str | None = None  # exact
    reverse_path: str | None = None  # pattern, as mail.address.path_matches reads it
    recipient: str | None = None  # pattern
    outcome: RecipientMove | None = None
    since: float | None = None  # Unix time, inclusive
    until: float | None = None  # Unix time, exclusive
    before: int | None = None  # an entry's id: for paging
    limit: int = 100


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some entries, newest first."""

    entries: list[HistoryEntry]
    before: int | None  # for a filter, to go on with older ones; None where there are no more


@dataclass(frozen=True, slots=True)
class HistoryFigures:
    """How much history there is."""

    entries: int
    octets: int  # about, on the disk
    oldest_at: float | None  # Unix time


def recorded_way(drain: int, release: int, recorded: str | None) -> DrainWay | None:
    """Return the way of an entry; `recorded` is that of its release, None if it is not there.

    Each turnaround has a release.
    """
    if recorded is not None:
        return DrainWay(recorded)
    return DrainWay.DESTINATION if drain and not release else None
