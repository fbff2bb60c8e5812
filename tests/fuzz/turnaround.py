"""A customer's octets into a whole turnaround: leases, connection, session, outcomes, store.

The customer says its octets in pieces, and then closes, resets or falls silent. The rule: the
turnaround ends, and no defect is logged. Nothing is said before the greeting. A message leaves the
store only if all of it was said to the customer. No more are begun than the customer's own limit
(LIMITS MAILMAX) allows. No domain stays in delivery.
"""

import asyncio
import selectors
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, Final, cast

import trustme

from restante.network.tls import TlsLayer
from restante.network.tls_context import unverified_client_context
from restante.network.wire import Wire, WireOwner
from restante.smtp.chunking_probe import PROBE
from restante.telemetry.events import InternalError
from tests.delivery.turning import Turning, ended
from tests.fuzz.choices import Choices, pieces, read_input
from tests.fuzz.turned_session import CHUNK, FORBIDDEN

_ENDS: Final = ("closes", "resets", "falls silent", "says goodbye", "spoils the stream")
_DOMAINS: Final = ("b.example", "c.example")
_TURNS: Final = 40  # of the loop, for all that follows a piece


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 4)
    has_tls, end = settings.flag(), settings.one_of(_ENDS)
    counts = settings.below(5), settings.below(3)
    with asyncio.Runner(loop_factory=_LeapingLoop) as runner:
        runner.run(_turn(pieces(stream, Choices(octets)), counts, end, has_tls))


async def _turn(spoken: Iterator[bytes], counts: tuple[int, ...], end: str, has_tls: bool) -> None:
    turning = Turning()
    world = turning.world
    async with world.dispatcher() as dispatcher:
        domains = [
            await turning.hosts(name, count) for name, count in zip(_DOMAINS, counts, strict=True)
        ]
        turnaround = await turning.granted(dispatcher, *domains)
        customer = _Customer(has_tls=has_tls)
        turnaround.begin(customer.wire)
        spoke = b""
        for piece in spoken:
            spoke += piece
            customer.say(piece)
            await _let_go_on()
            assert not customer.heard or b"\n" in spoke, "it spoke first"
            limit = turnaround._connection.mail_limit if turnaround._connection else 0
            assert not limit or customer.heard.count(b"MAIL FROM:<") <= limit
        customer.end(end)
        await turnaround.over.wait()
        await ended(dispatcher, domains)
        left = set(await world.waiting())
        customer.end("resets")
    assert not world.log.of(InternalError), world.log.of(InternalError)
    assert world.store.handover.open_drains() == []
    assert not FORBIDDEN.search(customer.heard)
    assert not CHUNK.search(customer.heard.replace(PROBE, b""))
    for number in set(range(1, world.held + 1)) - left:
        assert b"\r\n%d\r\n.\r\n" % number in customer.heard, "it left the store unsaid"


async def _let_go_on() -> None:
    """Let all happen that follows a piece, and no timer."""
    ready = cast(Any, asyncio.get_running_loop())._ready
    for _ in range(_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return


class _LeapingSelector(selectors.DefaultSelector):
    """Never waits: the clock leaps to the next timer."""

    leapt = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen again"
        self.leapt += max(timeout, 0.0)
        return super().select(0)


class _LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return 1000.0 + self._leaping.leapt


class _Session:
    """The session that had the wire before the turnaround."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


class _Customer(asyncio.Transport):
    """The customer's end, without a socket, in TLS or in clear."""

    def __init__(self, *, has_tls: bool) -> None:
        super().__init__({"peername": ("203.0.113.5", 25), "sockname": ("192.0.2.1", 366)})
        self.heard = b""
        self.wire = Wire(cast(WireOwner, _Session()))
        self._tls: TlsLayer | None = None
        self._unread: list[bytes] = []
        self._is_paused = self._is_closing = self._is_lost = False
        self.wire.connection_made(self)
        if has_tls:
            server, self._tls = _contexts()
            self.wire.begin_tls(TlsLayer(server, is_server=True))
            self._flush()
        self.wire.release()

    def say(self, octets: bytes) -> None:
        """Let octets arrive."""
        if self._tls is None:
            self._arrive(octets)
        elif not self._is_lost:
            self._tls.send(octets)
            self._flush()

    def end(self, how: str) -> None:
        """End, or say nothing more."""
        if how == "says goodbye" and self._tls is not None:
            self._tls.close()
            self._flush()
        if how == "spoils the stream":
            self._arrive(b"\x17\x03\x03\x00\x05hello")
        if how in ("closes", "says goodbye") and not self._is_closing:
            self.wire.eof_received()
        elif how == "resets":
            self._lose(ConnectionResetError(104, "Connection reset by peer"))

    # Called by the wire

    def write(self, data: Any) -> None:
        if self._is_closing:
            return
        if self._tls is None:
            self.heard += bytes(data)
            return
        self._tls._incoming.write(bytes(data))
        if not self._tls.is_established:
            self._tls._shake_hands()
            self._flush()
        with suppress(ssl.SSLError):  # nothing more is there, or an alert
            while record := self._tls._tls.read(1 << 16):
                assert record.count(b"\n") <= record.endswith(b"\n"), "lines share a record"
                self.heard += record

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        asyncio.get_running_loop().call_soon(self._deliver)

    def is_closing(self) -> bool:
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self._is_closing = True
        asyncio.get_running_loop().call_soon(self._lose, None)

    def abort(self) -> None:
        self.close()

    # Internal

    def _flush(self) -> None:
        assert self._tls is not None
        self._arrive(self._tls.take_outgoing())

    def _arrive(self, octets: bytes) -> None:
        if octets:
            self._unread.append(octets)
            self._deliver()

    def _deliver(self) -> None:
        while self._unread and not self._is_paused and not self._is_closing:
            self.wire.data_received(self._unread.pop(0))

    def _lose(self, error: Exception | None) -> None:
        if not self._is_lost:
            self._is_closing = self._is_lost = True
            self.wire.connection_lost(error)


def _contexts() -> tuple[ssl.SSLContext, TlsLayer]:
    """Return the server's context and the customer's layer."""
    return _server_context(), TlsLayer(unverified_client_context(), is_server=False, peer_name="p")


@cache
def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("p").configure_cert(context)
    return context
