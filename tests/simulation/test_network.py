"""The simulated network: octets arrive in order, up to the end or the cut of a connection."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from tests.simulation.network import Machine, Network, Weather
from tests.simulation.trace import Trace
from tests.simulation.virtual_loop import Stuck, VirtualLoop


class Sink(asyncio.Protocol):
    def __init__(self) -> None:
        self.got = b""
        self.ends: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data

    def eof_received(self) -> None:
        self.ends.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.ends.append(type(exc))


def with_network(
    weather: Weather, story: Callable[[Network, Sink], Awaitable[None]], seed: int = 1
) -> Sink:
    loop, sink = VirtualLoop(Random(seed)), Sink()
    network = loop.network = Network(Random(seed), Trace(loop.time), weather)

    async def tell() -> None:
        server, client = Machine("server", "192.0.2.1"), Machine("client", "192.0.2.2")
        server.context.run(network.listen, lambda: sink, "192.0.2.1", 25)
        await loop.create_task(story(network, sink), context=client.context)  # type: ignore[arg-type]
        await asyncio.sleep(5)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(tell())
    return sink


async def send(network: Network, sink: Sink) -> None:
    transport, _ = await network.connect(Sink, "192.0.2.1", 25)
    for number in range(200):
        transport.write(b"%03d" % number)
    transport.close()


WHOLE = b"".join(b"%03d" % number for number in range(200))


def test_octets_arrive_in_order_and_then_the_end() -> None:
    sink = with_network(Weather(pieces=1.0), send)
    assert sink.got == WHOLE
    assert sink.ends == ["eof", type(None)]


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_connection_loses_its_rest_and_both_ends_are_told(seed: int) -> None:
    sink = with_network(Weather(cut=1.0, longest_life=600), send, seed)
    assert WHOLE.startswith(sink.got)
    assert sink.ends in ([ConnectionResetError], ["eof", type(None)])
    assert (sink.got == WHOLE) == (sink.ends[0] == "eof")


def test_of_a_silent_cut_nobody_is_told() -> None:
    sinks = [
        with_network(Weather(cut=1.0, silent=1.0, longest_life=600), send, seed)
        for seed in range(20)
    ]
    assert any(sink.got != WHOLE and sink.ends == [] for sink in sinks)


def test_a_writer_waits_for_a_reader_that_pauses() -> None:
    seen = []

    class Writer(Sink):
        def pause_writing(self) -> None:
            seen.append("pause")

        def resume_writing(self) -> None:
            seen.append("resume")

    async def story(network: Network, sink: Sink) -> None:
        transport, _ = await network.connect(Writer, "192.0.2.1", 25)
        await asyncio.sleep(1)
        sink.transport.pause_reading()  # type: ignore[attr-defined]
        transport.write(bytes(100_000))
        await asyncio.sleep(1)
        assert (seen, sink.got) == (["pause"], b"")
        sink.transport.resume_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    assert len(with_network(Weather(), story).got) == 100_000
    assert seen == ["pause", "resume"]


def test_where_nobody_listens_a_connection_is_refused() -> None:
    async def story(network: Network, _sink: Sink) -> None:
        with pytest.raises(ConnectionRefusedError):
            await network.connect(Sink, "192.0.2.9", 25)

    with_network(Weather(), story)


def test_a_crashed_machine_resets_its_peers() -> None:
    async def story(network: Network, sink: Sink) -> None:
        _, mine = await network.connect(Sink, "192.0.2.1", 25)
        await asyncio.sleep(1)
        network.crash(network.listening["192.0.2.1", 25].machine)
        await asyncio.sleep(1)
        assert (mine.ends, sink.ends) == ([ConnectionResetError], [])

    with_network(Weather(), story)


def test_an_hour_takes_no_time_and_an_endless_wait_is_found() -> None:
    async def wait() -> None:
        await asyncio.sleep(3600)
        await asyncio.get_running_loop().create_future()

    loop = VirtualLoop(Random(1))
    with pytest.raises(Stuck):
        loop.run_until_complete(wait())
    assert loop.time() == 3600
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
