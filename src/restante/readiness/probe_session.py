"""A look at a destination: a session like that of a drain, with questions and without mail.

Promises: it connects to the destination on record and nowhere else, at the addresses that
a drain would use. It never sends DATA or BDAT. A password goes only under TLS. One session asks at
most 16 commands and is answered by at most three refusals, so that no limit on errors is met. Each
step has a limit, and so has the whole.

    1. The session, with TLS and login as the record says. Then <> to postmaster and to a mailbox
       that cannot exist; the domain itself to postmaster; and one more MAIL. RSET after each.
    2. If TLS is offered, one more connection without AUTH and MAIL. It sees the certificate that
       was not accepted, or whether a verifying client would accept it.
    3. The other addresses: the greeting, and QUIT.

All facts are the destination's own words, and only for people.
"""

import asyncio
import secrets
import string
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from restante.delivery.callout_session import CalloutSession
from restante.delivery.dialer import Dialer
from restante.delivery.route import Endpoint, NoRoute
from restante.delivery.tls_plan import TlsPlan
from restante.delivery.wire_reader import WireReader
from restante.network.tls import TlsFailed
from restante.network.tls_context import unverified_client_context, verifying_client_context
from restante.phrases import cause_of
from restante.readiness.destination_facts import (
    AddressFacts,
    DestinationFacts,
    OfferFacts,
    ProbeReply,
)
from restante.readiness.peer_certificate import shown_certificate
from restante.smtp.client_auth import ClientLogin
from restante.smtp.client_transaction import (
    AUTH,
    EHLO,
    GREETING,
    MAIL,
    QUIT,
    RCPT,
    RSET,
    STARTTLS,
    DialogueStep,
)
from restante.smtp.ehlo_offer import read_offer
from restante.smtp.handshake import ClientOptions, Handshake
from restante.smtp.peer_replies import ServerReply
from restante.smtp.pipelining import Pipelining
from restante.smtp.protocol_errors import PeerBroke
from restante.tenancy.model import Destination, TlsUse

# Seconds.
WHOLE_TIME: Final = 75.0  # the operator waits for it, and a request has 120
SESSION_TIME: Final = 60.0
_CONNECT_TIME: Final = 10.0
_LOOK_TIME: Final = 20.0  # for a connection that only looks
_QUIT_TIME: Final = 2.0
MOST_ADDRESSES: Final = 4
_NOBODY_LENGTH: Final = 20
_CHALLENGE: Final = 334
MOST_KEYWORDS: Final = 50  # of an offer that are kept
_LONGEST_KEYWORD: Final = 40
_LONGEST_NAME: Final = 255

_FAILURES = (OSError, EOFError, PeerBroke, TlsFailed)


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """The destination to look at, by the record of a domain."""

    destination: Destination
    domain: str
    login: ClientLogin | None = None


@dataclass
class _Notes:
    """The facts of the sessions with one address so far."""

    greeting: ServerReply | None = None
    seconds: float = 0.0  # to the greeting
    is_tls_offered: bool = False

    def take(self, step: DialogueStep, reply: ServerReply, seconds: float) -> None:
        """Keep the greeting, and the seconds from the connection to it."""
        if step is GREETING:
            self.greeting, self.seconds = reply, seconds


class DestinationLook:
    """Looks at one destination, once."""

    def __init__(
        self, target: ProbeTarget, dialer: Dialer, now: float, monotonic: Callable[[], float]
    ) -> None:
        """`now` is Unix time. `monotonic` is in seconds."""
        self._target = target
        self._dialer = dialer
        self._monotonic = monotonic
        self._facts = DestinationFacts(target.destination.text, target.domain, now)

    async def facts(self) -> DestinationFacts:
        """Return what the destination shows. No peer can make it raise."""
        try:
            async with asyncio.timeout(WHOLE_TIME):
                await self._look()
        except TimeoutError:
            self._fail(f"it was not finished within {WHOLE_TIME:.0f} s")
        except (NoRoute, *_FAILURES) as error:
            self._fail(cause_of(error))
        return self._facts

    async def _look(self) -> None:
        self._dialer.forget(self._target.destination.host)
        endpoints = await self._dialer.endpoints(self._target.destination)
        failure = "no address"
        for place, endpoint in enumerate(endpoints[:MOST_ADDRESSES]):
            failure = await self._try(endpoint)
            if not failure:
                for other in endpoints[place + 1 : MOST_ADDRESSES]:
                    await self._greet(other)
                return
        self._fail(failure)

    async def _try(self, endpoint: Endpoint) -> str:
        """Have a session at an address; return "" if it could begin, or why not."""
        notes = _Notes()
        try:
            async with asyncio.timeout(SESSION_TIME):
                await self._converse(endpoint, notes)
        except TimeoutError:
            failure = f"no answer within {SESSION_TIME:.0f} s"
        except _FAILURES as error:
            failure = cause_of(error)
        else:
            failure = ""
        has_begun = notes.greeting is not None and notes.greeting.is_positive
        self._note_address(endpoint, "" if has_begun else failure, notes)
        if not has_begun:
            return failure
        self._fail(failure)
        await self._look_at_certificate(endpoint, failure)
        return ""

    async def _converse(self, endpoint: Endpoint, notes: _Notes) -> None:
        destination = self._target.destination
        plan = await self._dialer.tls_plan(destination)
        options = self._options(destination.tls)
        try:
            await self._session(endpoint, options, plan, notes)
        except TlsFailed as error:
            self._facts = replace(
                self._facts, tls=replace(self._facts.tls, is_offered=True, failure=cause_of(error))
            )
            if not options.may_do_without_tls:
                raise
            await self._session(endpoint, replace(options, tls=TlsUse.OFF), None, notes)

    def _options(self, tls: TlsUse) -> ClientOptions:
        return ClientOptions(
            self._dialer.hostname, tls, self._target.login, pipelining=Pipelining.OFF
        )

    async def _session(
        self, endpoint: Endpoint, options: ClientOptions, plan: TlsPlan | None, notes: _Notes
    ) -> None:
        reader = WireReader()
        await reader.open(self._dialer.dial(self._target.destination, endpoint, _CONNECT_TIME))
        began = self._monotonic()

        def observe(step: DialogueStep, reply: ServerReply) -> None:
            notes.take(step, reply, self._monotonic() - began)
            if step is EHLO:
                self._note_offer(reply, notes)
            if step is AUTH and reply.code != _CHALLENGE:
                self._facts = replace(self._facts, login=_shown(reply))

        session = CalloutSession(reader, observe)
        try:
            await session.begin(Handshake(options), plan)
            self._note_tls(reader)
            await self._ask(session)
        finally:
            reader.close()

    async def _ask(self, session: CalloutSession) -> None:
        """Ask the questions, and take leave."""
        postmaster = f"postmaster@{self._target.domain}"
        nobody = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_NOBODY_LENGTH))
        mail = await session.command("MAIL FROM:<>", MAIL)
        first = await _rcpt(session, mail, postmaster)
        self._facts = replace(self._facts, postmaster=_shown(first))
        if mail.is_positive:
            second = await _rcpt(session, mail, f"{nobody}@{self._target.domain}")
            self._facts = replace(self._facts, nobody=_shown(second))
        await session.command("RSET", RSET)
        mail = await session.command(f"MAIL FROM:<{postmaster}>", MAIL)
        self._facts = replace(
            self._facts, own_domain=_shown(await _rcpt(session, mail, postmaster))
        )
        await session.command("RSET", RSET)
        self._facts = replace(
            self._facts, third=_shown(await session.command("MAIL FROM:<>", MAIL))
        )
        await session.command("RSET", RSET)
        await _take_leave(session)

    async def _look_at_certificate(self, endpoint: Endpoint, failure: str) -> None:
        """See the certificate, or whether it would be accepted by a verifying client."""
        destination, tls = self._target.destination, self._facts.tls
        if not tls.is_offered or destination.tls is TlsUse.OFF or self._facts.is_ourselves:
            return
        if tls.version and destination.tls is TlsUse.VERIFY:
            return
        if tls.version:
            try:
                context = await asyncio.to_thread(verifying_client_context)
                await self._see(endpoint, TlsPlan(context, destination.host))
                found = ""
            except (*_FAILURES, TimeoutError) as error:
                found = cause_of(error)
            tls = replace(tls, unverified=found, was_verified=True)
            self._facts = replace(self._facts, tls=tls)
            return
        with suppress(*_FAILURES, TimeoutError):
            plan = TlsPlan(unverified_client_context(), destination.host)
            certificate = shown_certificate(await self._see(endpoint, plan))
            tls = replace(tls, certificate=certificate, failure=tls.failure or failure)
            self._facts = replace(self._facts, tls=tls)

    async def _see(self, endpoint: Endpoint, plan: TlsPlan) -> bytes:
        """Return the certificate that is shown in a session without AUTH and MAIL."""
        reader = WireReader()
        async with asyncio.timeout(_LOOK_TIME):
            await reader.open(self._dialer.dial(self._target.destination, endpoint, _CONNECT_TIME))
            try:
                session = CalloutSession(reader)
                options = replace(self._options(TlsUse.REQUIRED), login=None)
                await session.begin(Handshake(options), plan)
                certificate = reader.peer_certificate
                await _take_leave(session)
                return certificate
            finally:
                reader.close()

    async def _greet(self, endpoint: Endpoint) -> None:
        """Read the greeting of another address."""
        notes, failure, reader = _Notes(), "", WireReader()
        try:
            async with asyncio.timeout(_LOOK_TIME):
                await reader.open(
                    self._dialer.dial(self._target.destination, endpoint, _CONNECT_TIME)
                )
                began = self._monotonic()
                try:
                    session = CalloutSession(
                        reader,
                        lambda step, reply: notes.take(step, reply, self._monotonic() - began),
                    )
                    options = replace(self._options(TlsUse.OFF), login=None)
                    await session.begin(Handshake(options), None)
                    await _take_leave(session)
                finally:
                    reader.close()
        except TimeoutError:
            failure = f"no answer within {_LOOK_TIME:.0f} s"
        except _FAILURES as error:
            failure = cause_of(error)
        self._note_address(endpoint, failure, notes)

    def _note_address(self, endpoint: Endpoint, failure: str, notes: _Notes) -> None:
        text = "" if notes.greeting is None else notes.greeting.text
        address = AddressFacts(endpoint.text, failure, text, notes.seconds)
        self._facts = replace(self._facts, addresses=(*self._facts.addresses, address))

    def _note_offer(self, reply: ServerReply, notes: _Notes) -> None:
        if not reply.is_positive:
            return
        offer = read_offer(reply)
        words = [line.decode("ascii", "replace").upper().split() for line in reply.lines[1:]]
        keywords = tuple(
            word[0].partition("=")[0][:_LONGEST_KEYWORD] for word in words[:MOST_KEYWORDS] if word
        )
        notes.is_tls_offered |= STARTTLS.name in keywords
        self._facts = replace(
            self._facts,
            offer=OfferFacts(offer.server_name[:_LONGEST_NAME], keywords, offer.size_limit),
            is_ourselves=offer.server_name == self._dialer.hostname,
            tls=replace(self._facts.tls, is_offered=notes.is_tls_offered),
        )

    def _note_tls(self, reader: WireReader) -> None:
        if not reader.tls_version:
            return
        certificate = shown_certificate(reader.peer_certificate)
        tls = replace(
            self._facts.tls,
            version=reader.tls_version,
            cipher=reader.tls_cipher,
            certificate=certificate,
        )
        self._facts = replace(self._facts, tls=tls)

    def _fail(self, failure: str) -> None:
        self._facts = replace(self._facts, failure=failure)


async def _rcpt(session: CalloutSession, mail: ServerReply, path: str) -> ServerReply:
    """Return the reply to RCPT, or that to MAIL if it was refused already."""
    return await session.command(f"RCPT TO:<{path}>", RCPT) if mail.is_positive else mail


async def _take_leave(session: CalloutSession) -> None:
    """Send QUIT, so that a primary's log has no reason to complain."""
    with suppress(*_FAILURES, TimeoutError):
        async with asyncio.timeout(_QUIT_TIME):
            await session.command("QUIT", QUIT)


def _shown(reply: ServerReply) -> ProbeReply:
    return ProbeReply(reply.code, reply.text)
