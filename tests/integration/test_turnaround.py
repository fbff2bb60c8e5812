"""A session that a listener accepted is turned around: held mail goes back over it (RFC 2645)."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
import uvloop

from restante.delivery.connection_source import adopt
from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.link_plan import ConnectionEnd, ConnectionWork, EndKind, LinkPlan
from restante.delivery.route import Endpoint
from restante.mail.message import ContentFile, HeldMessage
from restante.network.wire import Wire
from restante.queue.recipient_status import MessageOutcome
from restante.reception.listener import Listener
from restante.release.release_outcome import CannotNow, Granted, ReleaseOutcome
from restante.release.release_request import ReleaseRequest
from restante.release.releaser import Releaser
from restante.smtp.handshake import ClientOptions
from restante.telemetry.events import SessionClosed
from restante.tenancy.model import TlsUse
from tests.integration.reception import Reception, connect, read_reply, until

LOGIN = b"AUTH PLAIN AGFscGhhAGEgcGFzc3dvcmQgaW4gcGxhaW4gc2lnaHQ=\r\n"
TURN = b"ETRN a.example\r\n"  # the command that the releaser below answers by a turn


@dataclass
class MailBack:
    """A turnaround that delivers messages, and records their outcomes."""

    waiting: deque[HeldMessage]
    outcomes: list[MessageOutcome] = field(default_factory=list)
    is_patient: bool = False  # does not quit when all is delivered
    is_aborted_first: bool = False
    connection: DeliveryConnection | None = None
    running: asyncio.Task[ConnectionEnd] | None = None
    stops: int = 0

    def begin(self, wire: Wire) -> None:
        plan = LinkPlan(
            Endpoint(wire.peer, wire.peer_port),
            "turnaround",
            ClientOptions("mx2.example.net", TlsUse.OFF),
            None,
            DeliverySettings(),
        )
        work = ConnectionWork(self._take, self._report, self._no_file)
        self.connection = DeliveryConnection(adopt(wire), plan, work)
        if self.is_aborted_first:
            self.connection.abort("no longer wanted")
        self.running = asyncio.get_running_loop().create_task(self.connection.run())

    def stop(self) -> None:
        assert self.connection is not None
        self.stops += 1
        self.connection.finish()

    async def end(self) -> ConnectionEnd:
        """Return how the connection ended."""
        await until(lambda: self.running is not None)
        assert self.running is not None
        return await self.running

    def _take(self) -> HeldMessage | None:
        if self.waiting:
            return self.waiting.popleft()
        if not self.is_patient:
            assert self.connection is not None
            self.connection.finish_soon()
        return None

    def _report(self, _: HeldMessage, outcome: MessageOutcome, __: str) -> None:
        self.outcomes.append(outcome)

    async def _no_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        yield b""
        raise AssertionError(file)


@dataclass
class TurningReleaser:
    """Turns the session of the listener's only client around."""

    back: MailBack
    listener: Listener | None = None
    before_turn: Callable[[], Any] | None = None

    async def release(self, _: ReleaseRequest) -> ReleaseOutcome:
        assert self.listener is not None
        [connection] = self.listener._connections
        if self.before_turn is not None:
            await self.before_turn()
        if connection._dialogue.turn_around(self.back):
            return Granted("a.example", len(self.back.waiting), "turned around")
        return CannotNow("a.example", "octets behind the command")


class Customer:
    """A client that asks for its mail on the connection it makes, and then takes it as a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.taken: list[bytes] = []
        self.commands: list[bytes] = []

    async def ask(self, *lines: bytes) -> list[bytes]:
        """Say each line, and return the replies."""
        replies = []
        for line in lines:
            self.writer.write(line)
            replies.append(await read_reply(self.reader))
        return replies

    async def serve(self, greeting: bytes = b"220 c.example ESMTP\r\n") -> None:
        """Be the server until QUIT or the end."""
        self.writer.write(greeting)
        while line := await self.reader.readline():
            self.commands.append(line)
            if line.startswith(b"EHLO"):
                self.writer.write(b"250-c.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif line == b"DATA\r\n":
                self.writer.write(b"354 go ahead\r\n")
                self.taken.append((await self.reader.readuntil(b"\r\n.\r\n"))[:-3])
                self.writer.write(b"250 queued\r\n")
            elif line == b"QUIT\r\n":
                self.writer.write(b"221 bye\r\n")
                return
            else:
                self.writer.write(b"250 OK\r\n")


@contextlib.asynccontextmanager
async def turning(
    reception: Reception, releaser: TurningReleaser, service: str = "smtps"
) -> AsyncIterator[tuple[Listener, Customer]]:
    """Listen with that releaser, and log one customer in."""
    world = reception.world
    world._services = replace(world._services, releaser=cast(Releaser, releaser))
    async with reception.listener(service) as listener:
        releaser.listener = listener
        reader, writer = await connect(
            listener.address, service, reception.certificates.client_context()
        )
        customer = Customer(reader, writer)
        if service == "smtps":
            await read_reply(reader)
        await customer.ask(b"EHLO c.example\r\n", LOGIN)
        try:
            yield listener, customer
        finally:
            writer.transport.abort()


async def copies(reception: Reception, count: int) -> deque[HeldMessage]:
    """Make as many messages as are asked for from the one that is held."""
    world = reception.world
    domain = world.directory.now.domains["a.example"]
    [held] = await world.store.handover.held(domain.id, 0, 10, 2**40)
    return deque(held._replace(number=number) for number in range(count))


def use_loop(reception: Reception, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Run the world in another kind of event loop."""
    reception.world._runner.close()
    reception.world._runner = asyncio.Runner(loop_factory=factory)


MAIL = (
    b"MAIL FROM:<>\r\n",
    b"RCPT TO:<x@a.example>\r\n",
    b"DATA\r\n",
    b"Subject: x\r\n\r\nhi\r\n.\r\n",
)


@pytest.mark.parametrize("service", ["mx", "smtps"])
@pytest.mark.parametrize(
    "factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
@pytest.mark.parametrize("size", [b"", b" SIZE=2000000"], ids=["small reads off", "small reads"])
def test_a_session_that_brought_mail_takes_a_whole_drain_back(
    reception: Reception,
    service: str,
    factory: Callable[[], asyncio.AbstractEventLoop],
    size: bytes,
) -> None:
    use_loop(reception, factory)
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> ConnectionEnd:
        async with turning(reception, releaser, service) as (listener, customer):
            mail_from, *rest = MAIL
            said = await customer.ask(mail_from.replace(b"\r\n", size + b"\r\n"), *rest)
            assert said[-1].startswith(b"250 ")
            releaser.back.waiting = await copies(reception, 300)
            [reply] = await customer.ask(TURN)
            assert reply.startswith(b"253 ")
            await customer.serve()
            end = await releaser.back.end()
            assert customer.commands[0] == b"EHLO mx2.example.net\r\n"
            assert len(customer.taken) == 300
            assert all(taken.endswith(b"\r\n\r\nhi\r\n") for taken in customer.taken)
            await until(lambda: listener.sessions == 0)
            return end

    end = reception.world.run(session())
    assert (end.kind, end.outstanding) == (EndKind.QUIT, ())
    assert end.tls.startswith("TLSv1")
    assert sum(outcome.is_delivered for outcome in releaser.back.outcomes) == 300
    [line] = reception.world.log.of(SessionClosed)
    assert (line["end"], line["messages"], line["login"]) == ("turned-around", 1, "alpha")


def test_octets_behind_the_command_prevent_the_turn_and_the_session_goes_on(
    reception: Reception,
) -> None:
    """They would be read as replies to commands that we have not sent."""
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> list[bytes]:
        async with turning(reception, releaser) as (_, customer):
            customer.writer.write(TURN + b"220 early\r\n")
            said = [await read_reply(customer.reader), await read_reply(customer.reader)]
            assert releaser.back.running is None
            said += await customer.ask(TURN)
            await customer.serve()
            await releaser.back.end()
            return said

    said = reception.world.run(session())
    assert [reply[:3] for reply in said] == [b"458", b"500", b"253"]


def test_octets_that_come_while_the_turn_is_decided_prevent_it(reception: Reception) -> None:
    """Those that the socket has, and that nobody has read, too."""
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> bytes:
        async with turning(reception, releaser) as (listener, customer):
            [connection] = listener._connections

            async def meanwhile() -> None:
                connection.wire.pause_reading()  # as when the loop has not come round to it
                customer.writer.write(b"220 early\r\n")
                await until(lambda: connection.wire.has_unread)

            releaser.before_turn = meanwhile
            [reply] = await customer.ask(TURN)
            return reply

    assert reception.world.run(session())[:3] == b"458"
    assert releaser.back.running is None


def test_replies_ahead_of_commands_deliver_nothing(reception: Reception) -> None:
    """A customer that says 220 and all its 250 at once has taken no mail."""
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> ConnectionEnd:
        async with turning(reception, releaser) as (listener, customer):
            await customer.ask(*MAIL)
            releaser.back.waiting = await copies(reception, 5)
            await customer.ask(TURN)
            customer.writer.write(
                b"220 c.example\r\n" + b"250 OK\r\n" * 3 + b"354 go\r\n250 OK\r\n"
            )
            end = await releaser.back.end()
            await until(lambda: listener.sessions == 0)
            return end

    end = reception.world.run(session())
    assert end.kind is EndKind.BROKEN
    assert "unexpected reply" in end.reason
    assert releaser.back.outcomes == []
    assert len(releaser.back.waiting) == 5


def test_nothing_is_said_before_the_customer_greets(reception: Reception) -> None:
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> None:
        async with turning(reception, releaser) as (_, customer):
            await customer.ask(TURN)
            waiting = asyncio.ensure_future(customer.reader.read(1))
            await until(lambda: releaser.back.running is not None)
            for _ in range(20):
                await asyncio.sleep(0)
            assert not waiting.done()
            customer.writer.write(b"220 c.example ESMTP\r\n")
            assert await waiting == b"E"

    reception.world.run(session())


def test_a_stopping_server_ends_a_turnaround_gently_and_counts_it_until_then(
    reception: Reception,
) -> None:
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque(), is_patient=True))

    async def session() -> ConnectionEnd:
        async with turning(reception, releaser) as (listener, customer):
            await customer.ask(*MAIL)
            releaser.back.waiting = await copies(reception, 1)
            await customer.ask(TURN)
            serving = asyncio.ensure_future(customer.serve())
            await until(lambda: len(releaser.back.outcomes) == 1)
            reception.clock.now += 100_000
            listener.sweep()  # the time limits of reception do not concern it
            assert listener.sessions == 1
            listener.close()
            await serving
            return await releaser.back.end()

    end = reception.world.run(session())
    assert (end.kind, releaser.back.stops) == (EndKind.QUIT, 1)


def test_a_customer_that_is_cut_in_mid_turn_leaves_the_mail_outstanding(
    reception: Reception,
) -> None:
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> ConnectionEnd:
        async with turning(reception, releaser) as (listener, customer):
            await customer.ask(*MAIL)
            releaser.back.waiting = await copies(reception, 3)
            await customer.ask(TURN)
            await customer.ask(b"220 c.example\r\n")
            customer.writer.write(b"250 c.example\r\n")
            await customer.reader.readline()  # MAIL
            customer.writer.transport.abort()
            end = await releaser.back.end()
            await until(lambda: listener.sessions == 0)
            return end

    end = reception.world.run(session())
    assert (end.kind, [message.number for message in end.outstanding]) == (EndKind.BROKEN, [0])
    assert releaser.back.outcomes == []


def test_a_turnaround_that_is_aborted_before_it_runs_closes_the_connection(
    reception: Reception,
) -> None:
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque(), is_aborted_first=True))

    async def session() -> ConnectionEnd:
        async with turning(reception, releaser) as (listener, customer):
            customer.writer.write(TURN)
            end = await releaser.back.end()
            await until(lambda: listener.sessions == 0)
            return end

    assert reception.world.run(session()).kind is EndKind.ABORTED


@pytest.mark.parametrize("is_stopping", [False, True])
def test_a_session_that_is_ending_is_not_turned_around(
    reception: Reception, *, is_stopping: bool
) -> None:
    """The turnaround would wait permanently for a wire that nobody gives it."""
    reception.world.hosts("a.example", allow=("127.0.0.1",))
    releaser = TurningReleaser(MailBack(deque()))

    async def session() -> None:
        async with turning(reception, releaser) as (listener, customer):
            [connection] = listener._connections

            async def meanwhile() -> None:
                if is_stopping:
                    listener.close()
                else:
                    customer.writer.transport.abort()
                    await until(lambda: connection._has_eof or connection._is_closing)

            releaser.before_turn = meanwhile
            customer.writer.write(TURN)
            await until(lambda: listener.sessions == 0)
            assert releaser.back.running is None

    reception.world.run(session())
