"""Octets of a wire are awaited in order, and its end only after them."""

import asyncio
from typing import cast

import pytest

from restante.delivery import wire_reader
from restante.delivery.wire_reader import WireReader
from restante.network.tls import TlsFailed, TlsLayer
from restante.network.wire import Wire


class FakeWire:
    """A wire that notes what is done to it."""

    def __init__(self) -> None:
        self.is_secure = False
        self.is_paused = False
        self.closed_within: float | None = None

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def begin_tls(self, tls: object, check_peer: object) -> None:
        pass

    def close(self, within: float) -> None:
        self.closed_within = within


class Scene:
    def __init__(self) -> None:
        self.wire = FakeWire()
        self.reader = WireReader()
        self.reader.opened(cast("Wire", self.wire))

    async def begin_tls(self) -> None:
        await self.reader.begin_tls(cast("TlsLayer", None), lambda _: None)


def test_octets_that_came_are_read_at_once_and_together() -> None:
    scene = Scene()
    scene.reader.data_received(b"250 ")
    scene.reader.data_received(b"OK\r\n")
    assert asyncio.run(scene.reader.read()) == b"250 OK\r\n"


def test_a_read_waits_for_octets() -> None:
    async def main() -> None:
        scene = Scene()
        reading = asyncio.create_task(scene.reader.read())
        await asyncio.sleep(0)
        scene.reader.secured()
        await asyncio.sleep(0)
        assert not reading.done()
        scene.reader.data_received(b"x")
        assert await reading == b"x"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (lambda reader: reader.eof_received(), EOFError),
        (lambda reader: reader.connection_lost(None), EOFError),
        (lambda reader: reader.connection_lost(ConnectionResetError()), ConnectionResetError),
        (lambda reader: reader.tls_failed(TlsFailed("bad record")), TlsFailed),
    ],
    ids=["eof", "closed", "reset", "bad record"],
)
def test_the_end_is_raised_after_the_last_octets_and_each_time(
    end: object, expected: type[Exception]
) -> None:
    async def main() -> None:
        scene = Scene()
        scene.reader.data_received(b"221 bye\r\n")
        end(scene.reader)  # type: ignore[operator]
        assert await scene.reader.read() == b"221 bye\r\n"
        for _ in range(2):
            with pytest.raises(expected):
                await scene.reader.read()

    asyncio.run(main())


def test_the_first_cause_of_an_end_is_kept() -> None:
    scene = Scene()
    scene.reader.tls_failed(TlsFailed("bad record"))
    scene.reader.connection_lost(ConnectionResetError())
    with pytest.raises(TlsFailed):
        asyncio.run(scene.reader.read())


def test_a_destination_that_floods_is_not_read_until_its_octets_are_taken() -> None:
    scene, is_paused = Scene(), list[bool]()
    for octets in (wire_reader._KEPT_OCTETS, 1):
        scene.reader.data_received(b"x" * octets)
        is_paused.append(scene.wire.is_paused)
    assert len(asyncio.run(scene.reader.read())) == wire_reader._KEPT_OCTETS + 1
    assert [*is_paused, scene.wire.is_paused] == [False, True, False]


def test_tls_has_begun_only_when_the_peer_is_accepted() -> None:
    async def main() -> None:
        scene = Scene()
        beginning = asyncio.create_task(scene.begin_tls())
        scene.reader.secured()  # of something else
        await asyncio.sleep(0)
        scene.wire.is_secure = True
        assert beginning.done() is False
        scene.reader.secured()
        await beginning

    asyncio.run(main())


@pytest.mark.parametrize("exception", [None, ConnectionResetError("reset")])
def test_a_connection_lost_in_the_handshake_is_a_failure_of_tls(
    exception: Exception | None,
) -> None:
    async def main() -> None:
        scene = Scene()
        beginning = asyncio.create_task(scene.begin_tls())
        await asyncio.sleep(0)
        scene.reader.connection_lost(exception)
        with pytest.raises(TlsFailed, match="the handshake was interrupted"):
            await beginning

    asyncio.run(main())


def test_a_destination_that_takes_nothing_is_cut_after_a_while() -> None:
    scene = Scene()
    scene.reader.close()
    assert scene.wire.closed_within == wire_reader._CLOSE_SECONDS
