"""One mail transaction on the client side (RFC 5321 §3.3): its commands, and their replies."""

import re
from dataclasses import dataclass
from typing import Final

from restante.mail.message import HeldMessage
from restante.smtp.dsn_parameters import mail_parameters, recipient_parameters
from restante.smtp.ehlo_offer import EhloOffer
from restante.smtp.peer_replies import ServerReply

MAX_RECIPIENTS: Final = 100  # in one transaction; every server must take so many (§4.5.3.1.8)

# Characters that may stand between < and >: none that end the line, the path or the argument,
# except in a quoted string. Possessive throughout: a hostile path costs linear time.
_SAFE_PATH: Final = re.compile(
    r'(?>(?:[^\x00-\x20\x7f<>"\ud800-\udfff]++'
    r'|"(?>(?:[^\x00-\x1f\x7f"\\\ud800-\udfff]|\\[\x20-\x7e])*)")*)\Z'
)


@dataclass(frozen=True, slots=True, eq=False)
class DialogueStep:
    """One thing of ours that gets one reply. Compared by identity."""

    name: str
    goes_on: frozenset[
        int
    ]  # the positive codes that fit; another positive one means that we are out of step


GREETING: Final = DialogueStep("greeting", frozenset({220}))
EHLO: Final = DialogueStep("EHLO", frozenset({250}))
HELO: Final = DialogueStep("HELO", frozenset({250}))
STARTTLS: Final = DialogueStep("STARTTLS", frozenset({220}))
AUTH: Final = DialogueStep("AUTH", frozenset({235, 334}))
XCLIENT: Final = DialogueStep("XCLIENT", frozenset({220}))  # a greeting for another client
MAIL: Final = DialogueStep("MAIL", frozenset({250}))
RCPT: Final = DialogueStep("RCPT", frozenset({250, 251, 252}))
DATA: Final = DialogueStep("DATA", frozenset({354}))
# x5z is about mail (RFC 5321 §4.2.1). Not 220, 221 or 235, which belong to other moments of a
# session.
CONTENT: Final = DialogueStep("content", frozenset({200, *range(250, 260)}))
END_MARK: Final = DialogueStep(
    "end mark", frozenset({250})
)  # of content that nobody was to get: means nothing
RSET: Final = DialogueStep("RSET", frozenset({250}))
NOOP: Final = DialogueStep("NOOP", frozenset({250}))
ACROSS: Final = DialogueStep("RSET behind content", frozenset({250}))
QUIT: Final = DialogueStep("QUIT", frozenset({221, 250}))


_OUT_OF_SEQUENCE: Final = 503


class ClientTransaction:
    """One message on its way over one session. Its fields fill as the replies come."""

    __slots__ = (
        "content",
        "data",
        "is_across",
        "is_chunked",
        "mail",
        "message",
        "passes_dsn_on",
        "recipients",
    )

    def __init__(self, message: HeldMessage) -> None:
        self.message = message
        self.is_across = False  # its MAIL left before the reply to the content before it
        self.is_chunked = False  # its content goes by BDAT: there is no DATA, and `data` stays None
        self.passes_dsn_on = (
            False  # the server has the DSN extension and takes over the request for reports
        )
        self.mail: ServerReply | None = None
        self.recipients: list[ServerReply] = []  # by position in the envelope's forward-paths
        self.data: ServerReply | None = None
        self.content: ServerReply | None = None

    @property
    def is_out_of_turn(self) -> bool:
        """Whether the server says that its MAIL came too early, behind content without a reply."""
        return self.is_across and self.mail is not None and self.mail.code == _OUT_OF_SEQUENCE

    def start_again(self) -> None:
        """Forget what was answered: nothing of it was taken."""
        self.is_across = False
        self.mail = self.data = self.content = None
        self.recipients.clear()

    @property
    def has_recipients(self) -> bool:
        """Whether content would reach anybody."""
        if self.mail is None or not self.mail.is_positive:
            return False
        return any(reply.is_positive for reply in self.recipients)

    @property
    def is_delivered(self) -> bool:
        """Whether every recipient was taken, and then the content."""
        replies = (self.mail, *self.recipients, self.content)
        return all(reply is not None and reply.is_positive for reply in replies)

    @property
    def is_left_open(self) -> bool:
        """Whether the server still has it open: MAIL was taken, no content sent (§4.1.1.5)."""
        return (
            self.mail is not None
            and self.mail.is_positive
            and (self.data is None or not self.data.is_positive)
        )


def is_safe_path(path: str) -> bool:
    """Tell whether a path can be sent without becoming something else on the way."""
    return _SAFE_PATH.match(path) is not None


def opening_commands(message: HeldMessage, offer: EhloOffer) -> list[tuple[DialogueStep, bytes]]:
    """Return MAIL and each RCPT, as sent. Raises ValueError for a path that must not be sent."""
    envelope = message.envelope
    for path in (envelope.reverse_path, *envelope.forward_paths):
        if not is_safe_path(path):
            raise ValueError(f"the path {path!r} cannot be sent")
    mail = f"MAIL FROM:<{envelope.reverse_path}>{_mail_parameters(message, offer)}\r\n"
    commands = [(MAIL, mail.encode())]
    dsn = envelope.dsn if offer.has_dsn else None
    if dsn is None:
        commands += [(RCPT, f"RCPT TO:<{path}>\r\n".encode()) for path in envelope.forward_paths]
    else:
        for path in envelope.forward_paths:
            commands.append(
                (RCPT, f"RCPT TO:<{path}>{recipient_parameters(dsn.of(path))}\r\n".encode())
            )
    return commands


def _mail_parameters(message: HeldMessage, offer: EhloOffer) -> str:
    """Name only parameters that the server offers: others are an error (RFC 5321 §4.1.1.11)."""
    size = f" SIZE={message.size}" if offer.has_size else ""  # RFC 1870 §6
    # Without 8BITMIME 8-bit content goes out as it is: everybody takes it, and converting would
    # break signatures.
    body = " BODY=8BITMIME" if offer.has_8bitmime and message.envelope.is_8bit else ""
    utf8 = " SMTPUTF8" if offer.has_smtputf8 and needs_smtputf8(message) else ""
    dsn = (
        mail_parameters(message.envelope.dsn)
        if offer.has_dsn and message.envelope.dsn is not None
        else ""
    )
    return size + body + utf8 + dsn


def needs_smtputf8(message: HeldMessage) -> bool:
    """Tell whether a server without SMTPUTF8 must not get this (RFC 6531 §3.2)."""
    envelope = message.envelope
    return (
        envelope.needs_smtputf8
        or not envelope.reverse_path.isascii()
        or not all(map(str.isascii, envelope.forward_paths))
    )
