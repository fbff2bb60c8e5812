"""Notices as values: the facts, the channels that receive them, and one notice being sent.

NoticeFacts ── for each Channel that receives it ──► NewNotice ── stored ──► Notice ── sent,
deferred or given up ──► SendingOutcome
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class NoticeKind(StrEnum):
    """The events that a notice can report."""

    MAIL_AFTER_QUIET = "mail-after-quiet"
    PRIMARY_AWAY = "primary-away"
    PRIMARY_BACK = "primary-back"
    DRAIN_FINISHED = "drain-finished"
    DRAIN_GIVEN_UP = "drain-given-up"
    DESTINATION_REFUSES = "destination-refuses"
    DELIVERY_REFUSED = "delivery-refused"
    QUOTA_REACHED = "quota-reached"
    RETENTION_AHEAD = "retention-ahead"
    MAIL_EXPIRED = "mail-expired"
    MAIL_LOOPS = "mail-loops"
    PROOF_LOST = "proof-lost"
    DRILL_FAILED = "drill-failed"
    DRILL_PROOF_OLD = "drill-proof-old"
    DRILL_PASSED = "drill-passed"
    AUTHENTICATION_BURST = "authentication-burst"
    LOGIN_EXPIRING = "login-expiring"
    TURNAROUND_FROM_NEW_PLACE = "turnaround-from-new-place"
    TURNAROUND_RIGHT_GIVEN = "turnaround-right-given"
    CHANGE_SCHEDULED = "change-scheduled"
    CHANGE_ENDED = "change-ended"
    CERTIFICATE_EXPIRING = "certificate-expiring"
    CERTIFICATE_ORDER_FAILED = "certificate-order-failed"
    MESSAGE_DAMAGED = "message-damaged"
    DAMAGE_FOUND = "damage-found"
    SERVER_FAILING = "server-failing"
    ROOM_SHORT = "room-short"
    ROOM_BACK = "room-back"
    STORE_AWAY = "store-away"
    STORE_BACK = "store-back"
    OBJECTS_AWAY = "objects-away"
    OBJECTS_BACK = "objects-back"
    FILTER_AWAY = "filter-away"
    FILTER_BACK = "filter-back"
    CLOCK_DOUBTED = "clock-doubted"
    TEST = "test"


OF_THE_SERVER: Final = frozenset(
    {
        NoticeKind.CERTIFICATE_EXPIRING,
        NoticeKind.CERTIFICATE_ORDER_FAILED,
        NoticeKind.DAMAGE_FOUND,
        NoticeKind.SERVER_FAILING,
        NoticeKind.ROOM_SHORT,
        NoticeKind.ROOM_BACK,
        NoticeKind.STORE_AWAY,
        NoticeKind.STORE_BACK,
        NoticeKind.OBJECTS_AWAY,
        NoticeKind.OBJECTS_BACK,
        NoticeKind.FILTER_AWAY,
        NoticeKind.FILTER_BACK,
        NoticeKind.CLOCK_DOUBTED,
    }
)
# Every channel of an account receives these, whatever its kinds are: a thief who can redirect
# mail could silence a channel too.
ALWAYS_TOLD: Final = frozenset(
    {
        NoticeKind.CHANGE_SCHEDULED,
        NoticeKind.CHANGE_ENDED,
        NoticeKind.TURNAROUND_FROM_NEW_PLACE,
        NoticeKind.TURNAROUND_RIGHT_GIVEN,
    }
)
OF_ACCOUNTS: Final = frozenset(NoticeKind) - OF_THE_SERVER - {NoticeKind.TEST}


class ChannelTransport(StrEnum):
    """How a notice reaches its recipient."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices of an account go, or the operator's own where `account` is ""."""

    id: int  # the store's number for it, never used again; 0 before it is stored
    account: str
    name: str  # one of a kind within its account
    transport: str  # a Transport, perhaps one that only a later version knows
    target: str  # as it may be shown: a mail address, or a URL without whatever may be secret in it
    sealed: bytes | None  # URL and key under the key file; None where there is no secret
    kinds: frozenset[NoticeKind]
    created_at: float
    all_accounts: bool = False  # an operator's: also what concerns accounts, of all of them

    def receives(self, facts: "NoticeFacts") -> bool:
        """Tell whether this channel receives it. No account receives notices of another."""
        if facts.kind in ALWAYS_TOLD and facts.account == self.account != "":
            return True
        is_concerned = facts.account == self.account or (self.all_accounts and not self.account)
        return is_concerned and facts.kind in self.kinds


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """Something that happened and that somebody may want to know.

    Its texts are cleaned when it is made (`notices/notice_language`).
    """

    kind: str  # a NoticeKind, perhaps one that only a later version knows
    account: str  # the account concerned; "" for the whole server
    about: str  # the thing; the number of notices of one kind and thing in a period is limited
    text: str  # one line for people
    at: float  # Unix time
    details: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def topic(self) -> "Topic":
        """The key under which notices count as repetitions."""
        return self.account, self.kind, self.about


Topic = tuple[str, str, str]  # account, kind, thing


@dataclass(frozen=True, slots=True)
class NewNotice:
    """NoticeFacts for one channel, not stored yet."""

    channel_id: int
    key: str  # the same on each attempt, and of no other notice
    facts: NoticeFacts
    held_back: int  # so much of the same was not told since it was last told
    made_at: float


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that waits to be sent. Those of one channel leave in the order of their numbers."""

    number: int
    channel_id: int
    key: str
    facts: NoticeFacts
    held_back: int
    made_at: float
    next_attempt_at: float
    failures: int = 0  # attempts so far
    reply: str = ""  # why the last one failed


@dataclass(frozen=True, slots=True)
class QuietTopic:
    """A topic that was told, and of which nothing more is told for a while."""

    topic: Topic
    until: float  # Unix time
    held_back: int = 0
    last: NoticeFacts | None = None  # the last one held back


@dataclass(frozen=True, slots=True)
class PastNotice:
    """A notice that was sent or given up."""

    number: int  # the store's number for it; 0 before it is stored
    channel_id: int
    key: str
    facts: NoticeFacts
    held_back: int
    ended_at: float  # Unix time
    is_sent: bool
    failures: int
    reply: str  # of the last attempt
