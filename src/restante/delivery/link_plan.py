"""What a connection to a destination is made with, and what it leaves behind."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.route import Endpoint
from restante.delivery.tls_plan import TlsPlan
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import Outcome
from restante.smtp.chunking_probe import Probed
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.smtp.window import Pace


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """Where it goes and how."""

    endpoint: Endpoint
    destination: str  # as people know it
    options: ClientOptions
    tls: TlsPlan | None  # None where the options want no TLS
    settings: DeliverySettings
    own_addresses: Sequence[tuple[str, int]] = ()  # what we listen on
    pace: Pace = field(default_factory=Pace)  # of what runs ahead
    messages: int = 1000  # at most, before we end it


@dataclass(frozen=True, slots=True)
class ConnectionWork:
    """Where its messages come from, and where what became of them goes."""

    take: Callable[[], HeldMessage | None]  # the next message; None: nothing now, `wake` says when
    report: Callable[
        [HeldMessage, Outcome, str], None
    ]  # with the reply to the content, as text, if there was one
    read_file: Callable[[ContentFile], AsyncIterator[bytes]]


class EndKind(StrEnum):
    """How a connection ended."""

    QUIT = "quit"  # as we wanted
    UNREACHABLE = "unreachable"  # no connection was made
    TLS_FAILED = "tls failed"  # the handshake, or who the peer turned out to be
    REFUSED = "refused"  # the destination will not talk to us, or not about mail
    BUSY = "busy"  # 421
    BROKEN = "broken"  # closed, silent, or no SMTP
    UNREADABLE = (
        "unreadable"  # the content of the message outstanding cannot be read from our own disk
    )
    ABORTED = "aborted"  # by us


class SendingManner(StrEnum):
    """How messages went over a connection, or were to go."""

    DATA = "data"  # each waited for the replies of the one before
    PROBED = "probed"  # it ended in the probe for CHUNKING
    AHEAD_IN_VAIN = (
        "ahead-in-vain"  # whole windows were sent ahead by BDAT, and none came to its end
    )
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class ConnectionEnd:
    """What is left to know when it is over."""

    kind: EndKind
    reason: str  # "" where all went well
    was_ready: bool  # transactions could begin
    outstanding: tuple[HeldMessage, ...]  # begun, and without an outcome
    tls: str  # version, "" for none
    manner: SendingManner = SendingManner.DATA
    not_borne: Pipelining | None = None  # how far the destination showed that it cannot be gone
    probed: Probed | None = None  # what may be used by later connections
    delivered: int = 0  # messages
    was_closed: bool = (
        False  # by the destination without a word, or by us because a reply had no end
    )
    in_doubt: HeldMessage | None = (
        None  # outstanding; all its content was sent, and no reply to it could be read
    )
    closed_at_ehlo: bool = (
        False  # before TLS: some servers from before the extensions hang up there
    )
    uses_ehlo: bool = True
    garbled: str = ""  # what came in place of that reply, and why it is none; "" if nothing came

    @property
    def came_after_mail(self) -> bool:
        """Whether the destination ended it, by a close or 421, when it had taken mail: another may take more."""
        return self.delivered > 0 and (self.kind is EndKind.BUSY or self.was_closed)

    @property
    def goes_on_gentler(self) -> bool:
        """Whether it broke because of what went ahead of its replies: another connection does without."""
        if self.kind is not EndKind.BROKEN or self.not_borne is None:
            return False
        return (
            self.not_borne is not Pipelining.AHEAD or not self.outstanding
        )  # a window makes copies: not at once
