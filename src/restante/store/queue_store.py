"""The port of a store for listing held mail and changing single messages.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from restante.mail.address import path_matches
from restante.mail.delivery_report import NewReport
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import RecipientMove, RecipientOutcome, RecipientStatus
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import IpNetwork


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient in a listing."""

    forward_path: str
    status: RecipientStatus
    reply: str  # the destination's latest reply about it; "" if there is none
    tried_at: float | None = None  # Unix time of that reply; None: never tried, or not recorded
    attempts: int = 0  # that did not deliver it


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which recipients a queue listing is about. None means any."""

    domain_ids: tuple[int, ...] | None = None
    status: RecipientStatus | None = None
    reverse_path: str | None = None  # exact; "" is the null reverse-path
    recipient: str | None = None  # pattern of forward-paths, as mail.address.path_matches reads it
    received_before: float | None = None  # Unix time
    larger_than: int | None = None  # octets
    received_since: float | None = None  # Unix time, inclusive
    sender: str | None = None  # pattern of reverse-paths
    message_id: str | None = None  # exact
    client: IpNetwork | None = None  # in which the address is that the message came from
    numbers: tuple[int, ...] | None = None
    after: int = 0  # number: for paging
    limit: int = 1000

    def concerns(self, recipient: QueuedRecipient) -> bool:
        """Tell whether a listing is about this recipient of a message that matches otherwise."""
        return self.status in (None, recipient.status) and (
            self.recipient is None or path_matches(recipient.forward_path, self.recipient)
        )


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message in a listing, without its content."""

    number: int
    domain_id: int
    reverse_path: str
    recipients: tuple[QueuedRecipient, ...]
    received_at: float
    size: int
    message_id: str = ""  # "" where it has none, or is not known
    is_suspect: bool = False  # its sender gets no reports, and it leaves last
    policy_deferrals: int = 0  # drains in which a policy of the destination deferred it


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some messages of a listing, by number."""

    messages: list[QueuedMessage]
    after: int | None  # for `queue_page`, to go on; None where there are no more


@dataclass(frozen=True, slots=True)
class MessageBounce:
    """Held or refused recipients of one message to give up, with the report; None: no report."""

    number: int
    forward_paths: tuple[str, ...]  # if one of them is not there any more, nothing is done
    report: NewReport | None
    move: RecipientMove = RecipientMove.BOUNCED  # DELETED: their senders are told nothing
    replies: tuple[str, ...] = ()  # that history keeps, one for each recipient; or none

    @property
    def outcomes(self) -> list[RecipientOutcome]:
        """The outcome for each of the recipients."""
        replies = self.replies or ("",) * len(self.forward_paths)
        return [
            RecipientOutcome(path, self.move, reply)
            for path, reply in zip(self.forward_paths, replies, strict=True)
        ]


class QueueStore(Protocol):
    """Shows and changes held mail, message by message."""

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only.

        Raises SearchTooLong where `sender`, `message_id`, `client` or `recipient` make it look at
        too much; not for a `recipient` of one domain.
        """

    async def queue_page(self, selection: QueueFilter) -> QueuePage:
        """Return the first messages with matching recipients, as `list_queue` does.

        A search that takes long ends before the limit, and perhaps without a message. `after` tells
        how far it came.
        """

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, held or refused, and its origin, or None.

        Raises Damaged, StoreError.
        """

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages, whatever their state; returns how many were there."""

    async def release_refused(
        self, numbers: Sequence[int], audit: AuditEntry, status: RecipientStatus | None = None
    ) -> int:
        """Hold refused and set-apart recipients again; return how many messages had some.

        A status takes only those with this one: refused, uncertain or damaged. Their time begins
        again, with that of the entry.
        """

    async def bounce(self, bounces: Sequence[MessageBounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them; return the numbers concerned.

        A message with none left is removed with its file. One whose recipients have changed
        meanwhile stays as it is.
        """
