"""The plan of a connection to a destination, and its result."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.route import Endpoint
from restante.delivery.tls_plan import TlsPlan
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import MessageOutcome
from restante.smtp.chunking_probe import ChunkingProbeResult
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import WindowPace

_FEW: Final = 2  # messages
_MANY: Final = 100  # messages


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """The endpoint of a connection, and its options."""

    endpoint: Endpoint
    destination: str  # its name for people
    options: ClientOptions
    tls: TlsPlan | None  # None where the options want no TLS
    settings: DeliverySettings
    pace: WindowPace = field(default_factory=WindowPace)  # of pipelining
    messages: int = 1000  # at most, before we end it
    is_lasting: bool = True  # it takes that many, however long it lasts
    peer: str = "the destination"  # in reasons: a domain may have none, and leave by a turnaround


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class ConnectionWork:
    """The callbacks for messages and outcomes."""

    take: Callable[[], HeldMessage | None]  # the next message; None: nothing now, `wake` says when
    report: Callable[
        [HeldMessage, MessageOutcome, str], None
    ]  # with the reply to the content, as text, if there was one
    read_file: Callable[[ContentFile], AsyncIterator[bytes]]
    # its last message has begun, or a window was settled: other connections may be wanted
    on_progress: Callable[[], None] = _nothing


class EndKind(StrEnum):
    """How a connection ended."""

    QUIT = "quit"  # as we wanted
    UNREACHABLE = "unreachable"  # no connection was made
    TLS_FAILED = "tls-failed"  # the handshake, or the check of the peer
    REFUSED = "refused"  # the destination will not talk to us, or takes no mail
    BUSY = "busy"  # 421
    BROKEN = "broken"  # closed, silent, or not SMTP
    UNREADABLE = "unreadable"  # our own disk cannot read the content of the outstanding message
    ABORTED = "aborted"  # by us
    NO_ROUTE = "no-route"  # none could be tried


OURS: Final = (EndKind.QUIT, EndKind.UNREADABLE)  # ends that are no fault of the destination


class SendingManner(StrEnum):
    """How messages were sent, or would have been sent, over a connection."""

    DATA = "data"  # each waited for the replies of the one before
    PROBED = "probed"  # it ended in the probe for CHUNKING
    AHEAD_IN_VAIN = "ahead-in-vain"  # whole windows were sent ahead by BDAT, and none was settled
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class ConnectionEnd:
    """The result of a connection."""

    kind: EndKind
    reason: str  # "" where all went well
    was_ready: bool  # transactions could begin
    outstanding: tuple[HeldMessage, ...]  # begun, and without an outcome
    tls: str  # version, "" for none
    manner: SendingManner = SendingManner.DATA
    # the pipelining that the destination has shown not to support
    not_borne: Pipelining | None = None
    probed: ChunkingProbeResult | None = None  # for later connections
    delivered: int = 0  # messages
    tried: int = 0  # messages that it gave an outcome to
    was_closed: bool = (
        False  # by the destination without a reply, or by us because a reply had no end
    )
    was_silent: bool = False  # a reply did not come in time
    in_doubt: HeldMessage | None = (
        None  # outstanding; all its content was sent, and no reply to it could be read
    )
    closed_at_ehlo: bool = (
        False  # before TLS: some servers from before the extensions hang up there
    )
    uses_ehlo: bool = True
    suspect: HeldMessage | None = None  # outstanding; the reply that did not come was its
    garbled: str = ""  # the data in place of that reply, and its fault; "" if nothing came
    concerns_client: bool = False  # the destination refused the client in whose name it was
    # the destination cut it at MAIL or RCPT of the client in whose name it was
    was_cut_at_envelope: bool = False

    @property
    def came_after_mail(self) -> bool:
        """Whether the destination took mail and then closed or sent 421: another may take more."""
        return self.delivered > 0 and (self.kind is EndKind.BUSY or self.was_closed)

    @property
    def has_had_its_mail(self) -> bool:
        """Whether the destination took many messages, and then said 421: it counts them."""
        return self.kind is EndKind.BUSY and self.delivered >= _MANY

    @property
    def has_lost_window(self) -> bool:
        """Whether a window was lost with it, which is sent a second time."""
        is_ahead = self.manner in (SendingManner.AHEAD, SendingManner.AHEAD_IN_VAIN)
        return self.kind is EndKind.BROKEN and is_ahead and bool(self.outstanding)

    @property
    def was_over_a_message(self) -> bool:
        """Whether an act of the destination ended it, while it got a message.

        It closed, complained, said what is no reply, or said nothing. A window of many messages
        makes copies: it is not sent again at once.
        """
        if not self.was_ready or self.not_borne is not None:
            return False
        is_single = self.manner is SendingManner.DATA or len(self.outstanding) <= 1
        has_ended = self.kind in (EndKind.BROKEN, EndKind.BUSY, EndKind.REFUSED)
        return has_ended and is_single and bool(self.tried or self.outstanding)

    @property
    def goes_on_gentler(self) -> bool:
        """Whether pipelining broke it: another connection does without.

        A window makes copies, so it is not sent again at once. The first two are small enough.
        """
        met_limit = self.kind is EndKind.BUSY and self.manner is SendingManner.PROBED
        if not (self.kind is EndKind.BROKEN or met_limit) or self.not_borne is None:
            return False
        return self.not_borne is not Pipelining.AHEAD or len(self.outstanding) <= _FEW
