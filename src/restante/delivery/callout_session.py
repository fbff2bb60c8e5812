"""One conversation that asks a destination about a mailbox: MAIL, RCPT and QUIT, and no DATA.

It begins as a drain does (smtp/handshake): TLS, a check of the peer, and AUTH, as the record says.
So no mailbox is asked about in clear where mail may not go in clear, and no password goes without
TLS.

A bare LF in a reply could make it look like two, and the second would pass for the answer. Where LF
may end lines, replies are therefore counted (docs/decisions/0006). The answer counts once QUIT has
its reply and the destination has closed the connection, with nothing in between.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dial_plan import DialPlan
from restante.delivery.route import Endpoint, NoRoute
from restante.delivery.tls_plan import TlsPlan
from restante.delivery.wire_reader import WireReader
from restante.network.tls import TlsFailed
from restante.sasl.scram_keys import salted_password
from restante.smtp.client_events import BeginTls, SaltPassword, SessionReady
from restante.smtp.client_transaction import (
    AUTH,
    EHLO,
    GREETING,
    HELO,
    MAIL,
    QUIT,
    RCPT,
    DialogueStep,
)
from restante.smtp.handshake import (
    ClientOptions,
    Handshake,
    HandshakeRefuse,
    HandshakeSend,
    HandshakeStep,
)
from restante.smtp.peer_replies import ReplyReader, ServerReply
from restante.smtp.pipelining import Pipelining
from restante.smtp.protocol_errors import PeerBroke
from restante.tenancy.model import Destination, TlsUse

_GOODBYE_SECONDS: Final = 0.5  # the answer is there: do not delay the client


async def call_any(plan: DialPlan, forward_path: str, context: DeliveryContext) -> ServerReply:
    """Return the reply to RCPT at the first address that answers. Raises as `call`, and NoRoute."""
    error: Exception = NoRoute("no address")
    for endpoint in plan.endpoints:
        try:
            return await call(plan, endpoint, forward_path, context)
        except (OSError, PeerBroke, TlsFailed, EOFError) as failure:
            error = failure
    raise error


async def call(
    plan: DialPlan, endpoint: Endpoint, forward_path: str, context: DeliveryContext
) -> ServerReply:
    """Return the reply to RCPT. Raises OSError, EOFError, PeerBroke, TlsFailed if there is none."""
    uses_ehlo = context.memory.backoff.uses_ehlo(plan.destination.text)
    options = replace(plan.options, pipelining=Pipelining.OFF, uses_ehlo=uses_ehlo)
    try:
        return await _call(plan.destination, endpoint, options, plan.tls, forward_path, context)
    except TlsFailed:
        if not plan.may_do_without_tls:
            raise
        plain = replace(options, tls=TlsUse.OFF)
        return await _call(plan.destination, endpoint, plain, None, forward_path, context)


async def _call(  # noqa: PLR0917
    destination: Destination,
    endpoint: Endpoint,
    options: ClientOptions,
    plan: TlsPlan | None,
    forward_path: str,
    context: DeliveryContext,
) -> ServerReply:
    reader = WireReader()
    await reader.open(context.dialer.dial(destination, endpoint))
    try:
        dialogue = CalloutSession(reader)
        await dialogue.begin(Handshake(options), plan)
        return await dialogue.ask(forward_path)
    finally:
        reader.close()


ReplyObserver = Callable[[DialogueStep, ServerReply], None]


def _unobserved(_step: DialogueStep, _reply: ServerReply) -> None:
    """Ignore a reply, as nobody observes the session."""


class CalloutSession:
    """Sends one command after the other."""

    def __init__(self, reader: WireReader, observe: ReplyObserver = _unobserved) -> None:
        """`observe` gets each reply of the destination, before anything follows from it."""
        self._reader = reader
        self._observe = observe
        self._replies = ReplyReader()

    async def begin(self, handshake: Handshake, plan: TlsPlan | None) -> None:
        """Reach the point where transactions can begin."""
        self._replies = handshake.new_reader()
        following: HandshakeStep = handshake.take(GREETING, await self._reply(GREETING))
        while not isinstance(following, SessionReady):
            match following:
                case HandshakeSend(data, [step]):
                    self._reader.send(data)
                    following = handshake.take(step, await self._session_reply(handshake, step))
                case BeginTls():
                    assert plan is not None, "the handshake was told to do without"
                    await self._begin_tls(plan)
                    following = handshake.tls_established()
                case SaltPassword(password, salting):
                    salted = await asyncio.to_thread(salted_password, password, salting)
                    following = handshake.password_salted(salted)
                case HandshakeRefuse(reason):
                    self._reader.send(b"QUIT\r\n")
                    raise PeerBroke(reason)
                case _:
                    raise AssertionError(following)  # no command goes ahead of replies here

    async def _session_reply(self, handshake: Handshake, step: DialogueStep) -> ServerReply:
        try:
            return await self._reply(step)
        except (OSError, EOFError, PeerBroke):
            if step is AUTH:
                handshake.auth_unanswered()
            raise

    async def ask(self, forward_path: str) -> ServerReply:
        """Return the reply to RCPT, and send QUIT."""
        self._replies.asks_about_lf = True
        self._reader.send(b"MAIL FROM:<>\r\n")
        if not (reply := await self._reply(MAIL)).is_positive:
            self._reader.send(b"QUIT\r\n")
            raise PeerBroke(reply.text)  # it takes no mail now: treated as down
        if self._replies.has_surplus:
            raise PeerBroke("more than one reply to MAIL")
        # All replies so far ended in CRLF, so the first line of the next has the code that counts.
        self._replies.asks_about_lf = False
        self._reader.send(f"RCPT TO:<{forward_path}>\r\n".encode())
        reply = await self._reply(RCPT)
        self._reader.send(b"QUIT\r\n")
        if self._replies.ends_with_lf:
            await self._audit()
            return reply
        with suppress(OSError, EOFError, PeerBroke, TlsFailed, TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._reply(QUIT)  # so that a primary's log has no reason to complain
        return reply

    async def command(self, line: str, step: DialogueStep) -> ServerReply:
        """Send a command once the session has begun, and return its reply. Raises PeerBroke."""
        if self._replies.has_surplus:
            raise PeerBroke("more replies than commands")
        self._replies.asks_about_lf = True
        self._reader.send(f"{line}\r\n".encode())
        return await self._reply(step)

    async def _audit(self) -> None:
        """Return if the destination sent as many replies as it got commands. Raises PeerBroke."""
        if not (reply := await self._reply(QUIT)).is_positive:
            raise PeerBroke(f"no reply to QUIT: {reply.text}")
        with suppress(EOFError):
            if not self._replies.has_surplus:
                await self._reader.read()
            raise PeerBroke("more replies than commands")

    async def _begin_tls(self, plan: TlsPlan) -> None:
        if self._replies.has_surplus:  # a third party inserted replies before TLS began
            raise PeerBroke("bytes after the reply to STARTTLS, before the handshake")
        await self._reader.begin_tls(plan.begin(), plan.check_peer)

    async def _reply(self, step: DialogueStep) -> ServerReply:
        while (reply := self._replies.next_reply()) is None:
            if self._replies.meets_lf:
                self._replies.decide_about_lf(ends_lines=True)
            else:
                self._replies.receive(await self._reader.read())
        self._observe(step, reply)
        if reply.is_positive and reply.code not in step.goes_on:
            raise PeerBroke(f"no reply to {step.name}: {reply.text}")
        self._replies.learns_line_end &= step not in (EHLO, HELO)
        return reply
