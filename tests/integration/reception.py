"""Real listeners on loopback around the world of tests/wire.py: sockets, TLS, a test's clock."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from restante.network.tls_context import server_context
from restante.reception.doorkeeper import Doorkeeper, DoorLimits
from restante.reception.listener import Listener, bind
from restante.reception.smtp_connection import SessionSettings
from restante.sasl.plain import PlainExchange
from restante.smtp.limits import SmtpLimits
from restante.smtp.server_options import ServerOptions
from tests.wire import Wire


@dataclass(frozen=True)
class Certificates:
    """A test authority and the files that a listener reads."""

    authority: trustme.CA
    certificate: Path
    key: Path

    def client_context(self) -> ssl.SSLContext:
        """A client's context that trusts the authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1", "::1")
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = directory / "cert.pem", directory / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    leaf.private_key_pem.write_to_path(str(key))
    return Certificates(authority, certificate, key)


@dataclass
class Clock:
    """A monotonic clock that moves when told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Reception:
    """One world, and listeners in it."""

    certificates: Certificates
    world: Wire = field(default_factory=Wire)
    clock: Clock = field(default_factory=Clock)
    limits: SmtpLimits = field(default_factory=SmtpLimits)

    @asynccontextmanager
    async def listener(
        self,
        service: str = "mx",
        address: str = "127.0.0.1:0",
        minimum: str = "1.2",
        *,
        connections: int = 100,
        per_minute: int = 600,
        is_expected: bool = False,
    ) -> AsyncIterator[Listener]:
        """Listen for the time of a block."""
        mechanisms = {"PLAIN": PlainExchange}
        options = ServerOptions(
            "mx2.example.net", self.limits, mechanisms, can_start_tls=service == "mx"
        )
        context = server_context(
            [(self.certificates.certificate, self.certificates.key)], minimum, has_clear_text=True
        )
        settings = SessionSettings(
            self.world._services, options, context, is_implicit_tls=service == "smtps"
        )
        limits = DoorLimits(connections, connections, connections, per_minute)
        door = Doorkeeper(limits, lambda _: is_expected, self.clock)
        listener = Listener(service, bind(address), settings, door, self.clock)
        await listener.open()
        intake = asyncio.create_task(self.world._services.intake.run())
        try:
            yield listener
        finally:
            listener.close()
            listener.abort()
            self.world._services.intake.close()
            await intake


@pytest.fixture
def reception(certificates: Certificates) -> Iterator[Reception]:
    made = Reception(certificates)
    yield made
    made.world.close()


async def read_reply(reader: asyncio.StreamReader) -> bytes:
    """Read one reply, all its lines; b"" at the end of the stream."""
    lines = [await reader.readline()]
    while lines[-1][3:4] == b"-":
        lines.append(await reader.readline())
    return b"".join(lines)


def free_ipv6() -> bool:
    """Tell whether this machine has IPv6 on loopback."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  the listener has no event for a test to wait on
            await asyncio.sleep(0)


async def connect(
    address: tuple[str, int], service: str, context: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Get to where TLS is up."""
    if service == "smtps":
        return await asyncio.open_connection(*address, ssl=context, server_hostname="localhost")
    reader, writer = await asyncio.open_connection(*address)
    await read_reply(reader)
    writer.write(b"EHLO c.example\r\n")
    assert b"STARTTLS" in await read_reply(reader)
    writer.write(b"STARTTLS\r\n")
    assert (await read_reply(reader)).startswith(b"220 ")
    try:
        await writer.start_tls(context, server_hostname="localhost")
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer
