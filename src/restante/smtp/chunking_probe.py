"""The probe whether whole transactions may run ahead of replies, by BDAT (RFC 3030, RFC 2920).

Some servers offer more than they support. Running ahead of one that loses step doubles or loses
mail. So a session asks once, in one flight, before any mail is at stake. Where an earlier session
has asked and all went well, its answer is used instead (delivery/drain_experience.py): servers
count the two MAIL as messages.

    we send                            a server that supports it        one that takes a refused
                                                                        chunk for commands
    ---------------------------------  -------------------------------  ------------------------
    MAIL FROM:<>                       250, or as its policy says       the same
    BDAT 12 LAST, NOPE, NOPE           4xx or 5xx: no recipients        4xx or 5xx
                                                                        5xx to NOPE
                                                                        5xx to NOPE
    MAIL FROM:<>                       250: the refusal has ended the   …
                                       transaction; otherwise it has
                                       not
    RSET                               250                              250

The chunk is two lines that no server knows as commands. So the fourth reply shows at once which
server it is: 250, or the 5xx to a NOPE. With real commands in the chunk, a reply that comes late
could be mistaken for that to a later command.

The second MAIL matters as much. Postfix ends the transaction with the refused chunk. Exim 4.96 does
not. There the next MAIL that ran ahead is 503, and its RCPT joins the old transaction. Its content
is then delivered under the reverse-path of the message before. Such a server gets RSET before each
MAIL that runs ahead; the others do not, because they count RSETs.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from restante.smtp.client_transaction import DialogueStep
from restante.smtp.ehlo_offer import EhloOffer
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke


class SendingMode(Enum):
    """How transactions go to a server."""

    DATA = auto()  # each waits for the replies of the one before
    AHEAD = auto()  # by BDAT, a window of them ahead of the replies
    AHEAD_WITH_RSET = auto()  # the same, each but the first after RSET


PROBE: Final = b"MAIL FROM:<>\r\nBDAT 12 LAST\r\nNOPE\r\nNOPE\r\nMAIL FROM:<>\r\nRSET\r\n"
PROBE_MAILS: Final = 2  # a server that limits messages counts them
_ANY: Final = frozenset({250})
_NONE: Final[frozenset[int]] = frozenset()
PROBE_MAIL: Final = DialogueStep("MAIL of the probe", _ANY)
PROBE_CHUNK: Final = DialogueStep("BDAT of the probe", _NONE)
PROBE_MAIL_AGAIN: Final = DialogueStep("second MAIL of the probe", _ANY)
PROBE_RSET: Final = DialogueStep("RSET of the probe", _ANY)
PROBE_REST: Final = DialogueStep(
    "rest of the probe", _ANY
)  # where the chunk was taken for commands
PROBE_STEPS: Final = (PROBE_MAIL, PROBE_CHUNK, PROBE_MAIL_AGAIN, PROBE_RSET)
REST_STEPS: Final = (PROBE_REST, PROBE_REST)  # the second MAIL, and RSET


@dataclass(frozen=True, slots=True)
class ChunkingProbeResult:
    """The result of an earlier session's probe. It holds while the server offers the same."""

    offer: EhloOffer
    mode: SendingMode
    has_codes: bool


class ChunkingProbe:
    """Takes the replies to one probe."""

    __slots__ = ("_mails_taken", "_rests", "has_codes")

    def __init__(self) -> None:
        self.has_codes = False  # the server says enhanced codes (RFC 2034)
        self._mails_taken = 0
        self._rests = 0  # replies to commands behind a chunk that was taken for commands

    def take(
        self, step: DialogueStep, reply: ServerReply
    ) -> SendingMode | tuple[DialogueStep, ...] | None:
        """Return the mode once it is known, further steps whose replies are due, or None.

        Raises PeerBroke.
        """
        if step is PROBE_RSET:
            return self._judge(reply)
        if step is PROBE_REST:
            return self._take_rest(reply)
        self.has_codes = bool(reply.enhanced)
        self._mails_taken += reply.is_positive  # BDAT has no positive reply that fits
        return None

    def _judge(self, reply: ServerReply) -> SendingMode | tuple[DialogueStep, ...]:
        if not reply.is_positive:
            return REST_STEPS
        takes_both = self._mails_taken > 1
        return SendingMode.AHEAD if takes_both else SendingMode.AHEAD_WITH_RSET

    def _take_rest(self, reply: ServerReply) -> SendingMode | None:
        self._rests += 1
        if self._rests < len(REST_STEPS):
            return None
        if not reply.is_positive:
            raise PeerBroke(f"no reply to the probe for CHUNKING: {reply.text}")
        return SendingMode.DATA
