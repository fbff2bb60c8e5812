"""From the server's greeting to the first transaction, client side.

References: RFC 5321 §3.1, §3.2; RFC 3207; RFC 4954. The handshake takes each reply and returns the
next step. Three rules always hold: no password without TLS, no mail without TLS where the
destination's record demands it, and no mail to ourselves. Mail that is to go in a client's name
goes in no other. XCLIENT comes after TLS and AUTH (smtp/xclient.py). The last step is the probe for
CHUNKING (smtp/chunking_probe.py), where it is offered and wanted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from restante.sasl.scram_client import BadChallenge
from restante.sasl.scram_messages import new_nonce
from restante.smtp.chunking_probe import (
    PROBE,
    PROBE_STEPS,
    REST_STEPS,
    ChunkingProbe,
    ChunkingProbeResult,
    SendingMode,
)
from restante.smtp.client_auth import (
    MECHANISMS,
    ClientAuthentication,
    ClientLogin,
    choose_mechanism,
    secrets_of,
)
from restante.smtp.client_events import BeginTls, SaltPassword, SessionReady
from restante.smtp.client_transaction import (
    AUTH,
    EHLO,
    GREETING,
    HELO,
    STARTTLS,
    XCLIENT,
    DialogueStep,
)
from restante.smtp.ehlo_offer import NO_OFFER, read_offer
from restante.smtp.passed_client import PassedClient
from restante.smtp.peer_replies import ReplyReader, ServerReply
from restante.smtp.pipelining import Pipelining
from restante.smtp.xclient import xclient_command
from restante.tenancy.model import ClientPassing, TlsUse

_CHALLENGE: Final = 334
_BUSY_SERVER: Final = 421
_PERMANENT_FROM: Final = 500
_DEMANDS_TLS: Final = (TlsUse.REQUIRED, TlsUse.VERIFY)
# Exim 4.88 to 4.95 offers CHUNKING and has faults in it.
_FAULTY_CHUNKING: Final = re.compile(r"\bExim 4\.(?:8[89]|9[0-5])\b")


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The options of a session."""

    hostname: str  # for EHLO; a server that calls itself so is ourselves
    tls: TlsUse
    login: ClientLogin | None = None
    pipelining: Pipelining = Pipelining.AHEAD  # how far, where the server supports it
    probed: ChunkingProbeResult | None = None  # by an earlier session with the same server
    new_nonce: Callable[[], str] = new_nonce  # for SCRAM: never the same twice
    tries_last: bool = False  # of a turnaround, which has no other connection: no trial before mail
    uses_ehlo: bool = True  # False: HELO from the start, for a server that hangs up at EHLO
    client: PassedClient | None = None  # in whose name mail goes; None: in our own
    passing: ClientPassing = ClientPassing.NONE  # how the server learns it

    @property
    def names_client(self) -> bool:
        """Whether the server is to know a client."""
        return self.client is not None and self.passing is not ClientPassing.NONE

    @property
    def may_do_without_tls(self) -> bool:
        """Whether plain text may follow TLS that failed (RFC 7435); never with a password."""
        return self.tls is TlsUse.OPPORTUNISTIC and self.login is None

    @property
    def may_use_helo(self) -> bool:
        """Whether mail can be sent without extensions: neither TLS nor a password is demanded."""
        return self.tls not in _DEMANDS_TLS and self.login is None


@dataclass(frozen=True, slots=True)
class HandshakeSend:
    """Send this; the replies go to the steps, one each."""

    data: bytes
    steps: tuple[DialogueStep, ...]


@dataclass(frozen=True, slots=True)
class HandshakeAwait:
    """Send nothing now; replies to these steps are due too."""

    steps: tuple[DialogueStep, ...] = ()


@dataclass(frozen=True, slots=True)
class HandshakeRefuse:
    """Nothing can be sent to this server."""

    reason: str


HandshakeStep = (
    HandshakeSend | HandshakeAwait | BeginTls | SaltPassword | SessionReady | HandshakeRefuse
)


class Handshake:
    """One session's beginning."""

    __slots__ = (
        "_authentication",
        "_has_faulty_chunking",
        "_has_trial",
        "_options",
        "_probe",
        "_said_xclient",
        "_told",
        "has_codes",
        "has_tls",
        "is_client_refused",
        "mode",
        "offer",
    )

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._told = secrets_of(options.login)  # no text about this session shows them
        self._authentication: ClientAuthentication | None = None
        self._has_faulty_chunking = False
        self._probe = ChunkingProbe()
        self.has_tls = False
        self.offer = NO_OFFER
        self.mode = SendingMode.DATA
        self.has_codes = False  # the server says enhanced codes; known where it was probed
        self._has_trial = False  # the probe was delayed
        self._said_xclient = False
        self.is_client_refused = False  # the server said no while it knew the client

    def new_reader(self) -> ReplyReader:
        """Return a reader of replies, whose texts show no secret of this session."""
        return ReplyReader(self._told)

    def take(self, step: DialogueStep, reply: ServerReply) -> HandshakeStep:
        """Say what follows from a reply. Raises PeerBroke."""
        following = self._take_probe(step, reply) if step in _PROBE else _STEPS[step](self, reply)
        if isinstance(following, HandshakeRefuse) and not reply.is_positive:
            self.is_client_refused = self.knows_client and step in _ABOUT_CLIENT
        return following

    @property
    def knows_client(self) -> bool:
        """Whether the server was told in whose name the session is."""
        is_at_once = self._options.passing is ClientPassing.PROXY
        return self._options.names_client and (is_at_once or self._said_xclient)

    def tls_established(self) -> HandshakeSend:
        """Begin again: everything said before TLS counts for nothing (RFC 3207 §4.2)."""
        self.has_tls = True
        self.offer = NO_OFFER
        return self._hello("EHLO", EHLO)

    def _take_greeting(self, reply: ServerReply) -> HandshakeStep:
        self._has_faulty_chunking = _FAULTY_CHUNKING.search(reply.text) is not None
        if not reply.is_positive:
            return HandshakeRefuse(f"greeting: {reply.text}")
        return self._hello("EHLO", EHLO) if self._options.uses_ehlo else self._hello("HELO", HELO)

    def _hello(self, command: str, step: DialogueStep) -> HandshakeSend:
        client, name = self._options.client, self._options.hostname
        if client is not None and self.knows_client:
            name = client.hello
        return HandshakeSend(f"{command} {name}\r\n".encode(), (step,))

    def _take_ehlo(self, reply: ServerReply) -> HandshakeStep:
        if reply.is_positive:
            self.offer = read_offer(reply)
            return self._after_hello()
        if reply.code < _PERMANENT_FROM:
            return HandshakeRefuse(f"EHLO: {reply.text}")
        return self._hello("HELO", HELO)  # RFC 5321 §3.2: a server from before the extensions

    def _take_helo(self, reply: ServerReply) -> HandshakeStep:
        return self._after_hello() if reply.is_positive else HandshakeRefuse(f"HELO: {reply.text}")

    def _after_hello(self) -> HandshakeStep:
        if self.offer.server_name == self._options.hostname.lower():
            return HandshakeRefuse(
                f"the destination calls itself {self.offer.server_name}: it is this server"
            )
        if self._said_xclient:  # TLS and the login still count
            return self._ask_about_chunking()
        if self.has_tls or self._options.tls is TlsUse.OFF:
            return self._authenticate()
        if self.offer.has_starttls:
            return HandshakeSend(b"STARTTLS\r\n", (STARTTLS,))
        return self._do_without_tls("the destination does not offer STARTTLS")

    def _take_starttls(self, reply: ServerReply) -> HandshakeStep:
        return BeginTls() if reply.is_positive else self._do_without_tls(f"STARTTLS: {reply.text}")

    def _do_without_tls(self, reason: str) -> HandshakeStep:
        if self._options.tls in _DEMANDS_TLS:
            return HandshakeRefuse(f"TLS is required: {reason}")
        return self._authenticate()

    def _authenticate(self) -> HandshakeStep:
        login = self._options.login
        if login is None:
            return self._pass_client_on()
        if not self.has_tls:
            return HandshakeRefuse(
                "the destination has a login, and TLS could not be had: no password without it"
            )
        mechanism = login.choose(self.offer.mechanisms)
        if mechanism is None:
            return HandshakeRefuse(
                f"the destination offers no AUTH mechanism that we know ({', '.join(MECHANISMS)})"
            )
        self._authentication = ClientAuthentication(
            login, mechanism, self._options.new_nonce(), self._told
        )
        return self._say_auth(self._authentication.command())

    def _say_auth(self, line: bytes) -> HandshakeSend:
        return HandshakeSend(line + b"\r\n", (AUTH,))

    def _take_auth(self, reply: ServerReply) -> HandshakeStep:
        authentication = self._authentication
        assert authentication is not None
        if not reply.is_positive:
            return self._take_auth_refusal(authentication, reply)
        try:
            if reply.code == _CHALLENGE:
                answer = authentication.respond(reply)
                return answer if isinstance(answer, SaltPassword) else self._say_auth(answer)
            authentication.succeeded()
        except BadChallenge as error:  # it does not know the password, and must not get it
            return HandshakeRefuse(f"AUTH {authentication.mechanism}: {error}")
        assert self._options.login is not None
        self._options.login.unanswered.pop(authentication.mechanism, None)
        self._authentication = None
        return self._pass_client_on()

    def password_salted(self, salted: bytes) -> HandshakeSend:
        """Go on with the answer that had to wait for this."""
        assert self._authentication is not None
        return self._say_auth(self._authentication.password_salted(salted))

    def auth_unanswered(self) -> None:
        """Count that the server ended the session in an exchange, without a result of it."""
        if self._authentication is not None:
            assert self._options.login is not None
            self._options.login.unanswered[self._authentication.mechanism] += 1

    def _take_auth_refusal(
        self, authentication: ClientAuthentication, reply: ServerReply
    ) -> HandshakeStep:
        """Try the next mechanism if the refusal may concern this one alone, in later sessions too.

        The server gets each mechanism once in a session, with each form of the password.
        """
        login = self._options.login
        assert login is not None
        if reply.code == _BUSY_SERVER:
            self.auth_unanswered()
            return HandshakeRefuse(f"AUTH: {reply.text}")
        login.unanswered.pop(authentication.mechanism, None)
        if authentication.concerns_mechanism(reply.code):
            login.useless.add(authentication.mechanism)
            if choose_mechanism(self.offer.mechanisms, login.useless) is not None:
                return self._authenticate()
        if authentication.concerns_form(reply.code) and login.use_other_form():
            return self._authenticate()
        return HandshakeRefuse(f"AUTH: {authentication.complaint or reply.text}")

    def _pass_client_on(self) -> HandshakeStep:
        """Say XCLIENT once, if mail goes in the name of a client that the server learns so."""
        client = self._options.client
        if client is None or self._options.passing is not ClientPassing.XCLIENT:
            return self._ask_about_chunking()
        command = xclient_command(client, self.offer.xclient)
        if command is None:
            return HandshakeRefuse(
                "the destination does not offer XCLIENT with ADDR to this server"
            )
        self._said_xclient = True
        return HandshakeSend(command, (XCLIENT,))

    def _take_xclient(self, reply: ServerReply) -> HandshakeStep:
        if not reply.is_positive:
            return HandshakeRefuse(f"XCLIENT: {reply.text}")
        self.offer = NO_OFFER
        return self._hello("EHLO", EHLO)

    def _ask_about_chunking(self) -> HandshakeStep:
        is_offered = (
            self.offer.has_chunking and self.offer.has_pipelining and not self._has_faulty_chunking
        )
        if not is_offered or self._options.pipelining < Pipelining.AHEAD:
            return SessionReady()
        known = self._options.probed
        if known is not None and known.offer == self.offer:
            self.mode, self.has_codes = known.mode, known.has_codes
            return SessionReady()
        if self._options.tries_last:
            self._has_trial = True
            return SessionReady()
        return HandshakeSend(PROBE, PROBE_STEPS)

    def take_trial(self) -> HandshakeSend | None:
        """Return the delayed probe, once; None if there is none."""
        has_trial, self._has_trial = self._has_trial, False
        return HandshakeSend(PROBE, PROBE_STEPS) if has_trial else None

    @property
    def tries_last(self) -> bool:
        """Whether nothing may be tried while mail waits."""
        return self._options.tries_last

    @property
    def probed(self) -> ChunkingProbeResult | None:
        """The result of the probe, for later sessions; None where nothing may run ahead."""
        return (
            None
            if self.mode is SendingMode.DATA
            else ChunkingProbeResult(self.offer, self.mode, self.has_codes)
        )

    @property
    def is_another_server(self) -> bool:
        """Whether an earlier session's probe was given, and the server offers something else."""
        known = self._options.probed
        return known is not None and known.offer != self.offer

    def _take_probe(self, step: DialogueStep, reply: ServerReply) -> HandshakeStep:
        answer = self._probe.take(step, reply)
        if isinstance(answer, SendingMode):
            self.mode, self.has_codes = answer, self._probe.has_codes
            return SessionReady()
        return HandshakeAwait(answer or ())


_PROBE: Final = frozenset(PROBE_STEPS + REST_STEPS)
_ABOUT_CLIENT: Final = frozenset({GREETING, EHLO, HELO, XCLIENT})  # where a client is judged
_STEPS: Final[Mapping[DialogueStep, Callable[[Handshake, ServerReply], HandshakeStep]]] = {
    GREETING: Handshake._take_greeting,  # noqa: SLF001  the table is part of the class
    EHLO: Handshake._take_ehlo,  # noqa: SLF001
    HELO: Handshake._take_helo,  # noqa: SLF001
    STARTTLS: Handshake._take_starttls,  # noqa: SLF001
    AUTH: Handshake._take_auth,  # noqa: SLF001
    XCLIENT: Handshake._take_xclient,  # noqa: SLF001
}
