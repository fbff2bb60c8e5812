"""A wire over a real socket: TLS in both roles, a lossless change of owner, and a sure end."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from restante.network.tls import TlsFailed, TlsLayer
from restante.network.wire import Wire, line_records
from tests.delivery.world import until


@dataclass
class Owner:
    """Writes down what it is told."""

    told: list[str] = field(default_factory=list)
    octets: bytes = b""
    wire: Wire | None = None
    on_octets: Callable[[], None] | None = None

    def opened(self, wire: Wire) -> None:
        self.wire = wire
        self.told.append("opened")

    def data_received(self, data: bytes) -> None:
        self.octets += data
        self.told.append("octets")
        if self.on_octets is not None:
            self.on_octets()

    def secured(self) -> None:
        self.told.append("secured")

    def tls_failed(self, failure: TlsFailed) -> None:
        self.told.append(f"TLS failed: {failure}")

    def eof_received(self) -> None:
        self.told.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")

    def pause_writing(self) -> None:
        self.told.append("paused")

    def resume_writing(self) -> None:
        self.told.append("resumed")


@dataclass
class Pair:
    """Both ends of one connection."""

    server: Wire
    server_owner: Owner
    client: Wire
    client_owner: Owner


def joined(test: Callable[[Pair], Awaitable[None]]) -> None:
    """Run a test on two wires that a socket joins."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = Owner(), Owner()
        accepted = Wire(ours)
        listening = await loop.create_server(lambda: accepted, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        _, dialed = await loop.create_connection(lambda: Wire(theirs), "127.0.0.1", port)
        await until(lambda: ours.wire is not None)
        try:
            await test(Pair(accepted, ours, dialed, theirs))
        finally:
            accepted.abort()
            dialed.abort()
            listening.close()

    asyncio.run(main())


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return one for a server, and one for a client that knows its authority."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("p.internal").configure_cert(server)
    authority.configure_trust(client)
    return server, client


def start_tls(pair: Pair, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    """Begin TLS at both ends."""
    server, client = contexts
    pair.server.begin_tls(TlsLayer(server, is_server=True))
    pair.client.begin_tls(TlsLayer(client, is_server=False, peer_name="p.internal"))


def test_tls_begins_in_mid_connection_in_both_roles(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def test(pair: Pair) -> None:
        pair.client.write(b"in clear")
        await until(lambda: pair.server_owner.octets == b"in clear")
        start_tls(pair, contexts)
        assert pair.client.is_shaking_hands
        assert pair.server.is_shaking_hands
        await until(lambda: pair.server.is_secure and pair.client.is_secure)
        pair.client.write(b", and not")
        pair.server.write(b"yes")
        await until(lambda: pair.server_owner.octets == b"in clear, and not")
        await until(lambda: pair.client_owner.octets == b"yes")
        assert pair.server.tls_version == pair.client.tls_version == "TLSv1.3"
        assert (len(pair.client.peer_key), pair.server.peer_key) == (64, "")
        assert pair.server_owner.told == ["opened", "octets", "secured", "octets"]
        assert pair.server.peer_port == pair.client._transport.get_extra_info("sockname")[1]
        assert str(pair.server.peer) == str(pair.client.own_address) == "127.0.0.1"

    joined(test)


def test_a_peer_whose_check_fails_gets_no_octets(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    def refuse(_: TlsLayer) -> None:
        raise TlsFailed("another key")

    async def test(pair: Pair) -> None:
        server, client = contexts
        pair.server.begin_tls(TlsLayer(server, is_server=True))
        pair.client.begin_tls(TlsLayer(client, is_server=False, peer_name="p.internal"), refuse)
        await until(lambda: "TLS failed: another key" in pair.client_owner.told)
        assert not pair.client.is_secure
        assert pair.client.tls_version == ""
        assert pair.client_owner.octets == b""

    joined(test)


def test_octets_that_are_no_tls_end_it(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async def test(pair: Pair) -> None:
        pair.server.begin_tls(TlsLayer(contexts[0], is_server=True))
        pair.client.write(b"EHLO c.example\r\n")
        await until(lambda: len(pair.server_owner.told) > 1)
        assert pair.server_owner.told[1].startswith("TLS failed: ")

    joined(test)


def test_the_goodbye_of_tls_is_the_end_of_octets_and_told_once(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def test(pair: Pair) -> None:
        start_tls(pair, contexts)
        await until(lambda: pair.server.is_secure and pair.client.is_secure)
        pair.client.write(b"last")
        pair.client.close()
        await until(lambda: "eof" in pair.server_owner.told)
        assert pair.server.is_ended
        assert pair.server_owner.octets == b"last"

    joined(test)


@pytest.mark.parametrize("has_tls", [False, True])
def test_all_that_happens_between_two_owners_comes_to_the_second_in_order(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], *, has_tls: bool
) -> None:
    async def test(pair: Pair) -> None:
        if has_tls:
            start_tls(pair, contexts)
            await until(lambda: pair.server.is_secure and pair.client.is_secure)
        pair.client.write(b"for the first")
        await until(lambda: pair.server_owner.octets == b"for the first")
        pair.server.release()
        pair.client.write(b"for the second")
        pair.client.close()
        await until(lambda: pair.server.has_unread)
        second = Owner()
        pair.server.adopt(second)
        await until(lambda: "eof" in second.told)
        assert pair.server_owner.octets == b"for the first"
        assert (second.octets, second.told[0]) == (b"for the second", "opened")
        assert second.wire is pair.server

    joined(test)


def test_octets_that_the_transport_gives_while_nobody_owns_it_are_kept() -> None:
    """Reading is paused, but an event loop may have read already."""

    async def test(pair: Pair) -> None:
        second = Owner()
        pair.server.release()
        pair.server.data_received(b"read ")
        pair.server.data_received(b"before")
        assert pair.server_owner.octets == b""
        pair.server.adopt(second)
        assert second.octets == b"read before"

    joined(test)


class OpenTransport(asyncio.Transport):
    """A transport that does nothing."""

    def is_closing(self) -> bool:
        return False


def test_a_wire_without_a_first_owner_keeps_all_for_the_one_that_adopts_it() -> None:
    wire, owner = Wire(), Owner()
    wire.connection_made(OpenTransport())
    wire.data_received(b"220 ready")
    wire.eof_received()
    wire.connection_lost(None)
    wire.adopt(owner)
    assert (owner.octets, owner.told) == (b"220 ready", ["opened", "octets", "eof", "lost"])
    assert owner.wire is wire


def test_a_wire_that_is_lost_between_two_owners_is_lost_for_the_second() -> None:
    lost: list[bool] = []

    async def test(pair: Pair) -> None:
        pair.server.release(on_lost=lambda: lost.append(True))
        pair.server.abort()
        await until(lambda: bool(lost))
        second = Owner()
        pair.server.adopt(second)
        assert second.told == ["opened", "lost"]
        assert pair.server_owner.told == ["opened"]

    joined(test)
    assert lost == [True]


def test_the_first_owner_may_release_it_while_it_takes_octets() -> None:
    async def test(pair: Pair) -> None:
        pair.server_owner.on_octets = pair.server.release
        pair.client.write(b"turn")
        await until(lambda: pair.server_owner.octets == b"turn")
        pair.client.write(b"220 ready")
        second = Owner()
        pair.server.adopt(second)
        await until(lambda: second.octets == b"220 ready")
        assert pair.server_owner.octets == b"turn"

    joined(test)


def test_the_second_owner_learns_that_the_peer_is_slow() -> None:
    async def test(pair: Pair) -> None:
        pair.client.pause_reading()
        pair.server.write(b"x" * 10_000_000)
        assert pair.server_owner.told == ["opened", "paused"]
        pair.server.release()
        second = Owner()
        pair.server.adopt(second)
        assert second.told == ["opened", "paused"]
        pair.client.resume_reading()
        await until(lambda: "resumed" in second.told)

    joined(test)


def test_a_wire_with_an_owner_is_not_adopted() -> None:
    async def test(pair: Pair) -> None:
        with pytest.raises(AssertionError, match="has an owner"):
            pair.server.adopt(Owner())

    joined(test)


def test_a_peer_that_takes_nothing_is_cut_after_the_time_of_a_close() -> None:
    async def test(pair: Pair) -> None:
        pair.client.pause_reading()
        pair.server.write(b"x" * 10_000_000)
        pair.server.close(within=0.01)
        await until(lambda: "lost" in pair.server_owner.told)

    joined(test)


def test_a_close_with_all_sent_arms_no_timer() -> None:
    async def test(pair: Pair) -> None:
        pair.server.write(b"bye")
        pair.server.close(within=0.01)
        assert pair.server._cut_timer is None
        await until(lambda: pair.client_owner.octets == b"bye")

    joined(test)


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_each_line_has_a_record_of_its_own(lines: list[bytes]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    records = list(line_records(data))
    assert b"".join(records) == data
    assert records == [line + b"\r\n" for line in lines]


def test_a_long_line_is_cut_and_the_rest_of_one_stands_alone() -> None:
    records = list(line_records(b"x" * 20_000 + b"\r\nend\r\nhal"))
    assert [len(one) for one in records] == [8191, 8191, 3620, 5, 3]
    assert b"".join(records).endswith(b"end\r\nhal")
    assert list(line_records(b"")) == []


class _Acknowledging:
    """A transport whose socket notes the options that are set."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []

    def get_extra_info(self, name: str) -> object:
        return self if name == "socket" else None

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)  # type: ignore[arg-type]

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize("is_by_line", [False, True])
def test_a_client_that_sends_line_by_line_is_acknowledged_at_once(*, is_by_line: bool) -> None:
    """Otherwise each of its lines but the first waits 40 ms (measured: 1,000 messages in 47 s)."""
    wire, transport = Wire(), _Acknowledging()
    wire.connection_made(cast("asyncio.BaseTransport", transport))
    if is_by_line:
        wire.send_line_by_line()
    wire.data_received(b"250 OK\r\n")
    expected = [(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)] if is_by_line else []
    assert transport.options == expected
