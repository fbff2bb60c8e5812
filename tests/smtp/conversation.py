"""A server session with a ready answer for every event, and a record of the questions."""

from collections.abc import Mapping
from typing import Final

from restante.sasl.auth_login import AuthLogin
from restante.sasl.cram_md5 import CramMd5
from restante.sasl.external import ExternalExchange
from restante.sasl.plain import PlainExchange
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_keys import Salting
from restante.smtp import replies
from restante.smtp.commands import Atrn, Data, Etrn, Mail, Rcpt, StartTls
from restante.smtp.limits import SmtpLimits
from restante.smtp.replies import Reply
from restante.smtp.server_events import (
    Answered,
    Authenticate,
    ChunkReceived,
    ContentBlock,
    ContentReceived,
    ServerEvent,
)
from restante.smtp.server_options import (
    TAKES_MAIL,
    MechanismFactories,
    ServerOptions,
    ServiceProfile,
)
from restante.smtp.server_session import ServerSession
from tests.transcript import play

CHALLENGE: Final = b"<1.2@mx2.example.net>"
ACCEPTING: Final[Mapping[type[ServerEvent], Reply]] = {
    Mail: replies.SENDER_OK,
    Rcpt: replies.RECIPIENT_OK,
    Data: replies.START_CONTENT,
    ContentReceived: replies.OK,
    ChunkReceived: replies.OK,
    Authenticate: replies.AUTHENTICATED,
    Etrn: replies.QUEUING_STARTED.fill(target="x"),
    Atrn: replies.TURNING_AROUND,
    StartTls: replies.READY_FOR_TLS,
}


class Conversation:
    """Answers every event as `answers` says, at once."""

    def __init__(
        self,
        *,
        has_tls: bool = False,
        limits: SmtpLimits | None = None,
        can_start_tls: bool = True,
        profile: ServiceProfile = TAKES_MAIL,
    ) -> None:
        mechanisms: MechanismFactories = {
            "PLAIN": PlainExchange,
            "LOGIN": AuthLogin,
            "CRAM-MD5": lambda: CramMd5(CHALLENGE),
            "SCRAM-SHA-256": lambda: ScramSha256("SERVER", lambda _user: Salting(b"salt", 1)),
            "EXTERNAL": ExternalExchange,
        }
        options = ServerOptions(
            "mx2.example.net", limits or SmtpLimits(), mechanisms, can_start_tls, profile
        )
        self.session = ServerSession(options, has_tls=has_tls)
        self.answers: dict[type[ServerEvent], Reply] = dict(ACCEPTING)
        self.last_word = b""  # behind credentials that are good
        self.events: list[ServerEvent] = []
        self.messages: list[bytes] = []
        self._content = b""

    def send(self, data: bytes) -> None:
        """Give octets and answer the events that follow."""
        self.session.receive_data(data)
        while (event := self.session.next_event()) is not None:
            self.events.append(event)
            self._answer(event)

    def _answer(self, event: ServerEvent) -> None:
        if isinstance(event, ContentBlock):
            self._content += event.octets
        if isinstance(event, ContentReceived):
            self.messages.append(self._content)
            self._content = b""
        if isinstance(event, Answered):
            self.session.reply(
                self.answers[type(event)],
                self.last_word if isinstance(event, Authenticate) else b"",
            )

    def transcript(self, text: str, **values: str) -> None:
        """Play a transcript (tests/transcript.py)."""
        play(text, self.send, self.session.data_to_send, **values)

    def greet(self) -> "Conversation":
        """Get past greeting and EHLO."""
        self.send(b"EHLO client.example\r\n")
        self.session.data_to_send()
        return self

    def begin(self) -> "Conversation":
        """Get as far as one accepted recipient."""
        self.greet().send(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n")
        self.session.data_to_send()
        return self
