"""Wires that are dialed, and wires that the server side has released."""

import asyncio
import errno
import ipaddress
import socket
from typing import cast

import pytest

from restante.delivery.connection_source import NotReached, adopt, dial
from restante.delivery.route import Endpoint
from restante.delivery.wire_reader import WireReader
from restante.network.wire import Wire
from restante.smtp.protocol_errors import PeerBroke
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly

LOOPBACK = ipaddress.ip_address("127.0.0.1")


def test_a_dialed_wire_is_adopted_and_read() -> None:
    async def main() -> None:
        async with ScriptedPrimary() as primary:
            source, reader = dial(Endpoint(LOOPBACK, primary.port), 30.0), WireReader()
            assert not source.is_dialing
            await reader.open(source)
            assert not source.is_dialing
            assert await reader.read() == b"220 p.example ESMTP\r\n"
            reader.close()

    asyncio.run(main())


def test_a_refused_connection_says_so() -> None:
    async def main(port: int) -> None:
        await dial(Endpoint(LOOPBACK, port), 30.0).open()

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NotReached) as caught:
            asyncio.run(main(closed.getsockname()[1]))
    assert str(caught.value) == "Connection refused"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EHOSTUNREACH, "Connect call failed ('192.0.2.1', 25)"), "No route to host"),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "Name or service not known",
        ),
        (OSError("Multiple exceptions"), "Multiple exceptions"),
        (OSError(), "no cause was given"),
    ],
)
def test_a_failed_connection_says_why_in_words(
    error: OSError, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise error

    async def main() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fails)
        await dial(Endpoint(LOOPBACK, 25), 30.0).open()

    with pytest.raises(NotReached) as caught:
        asyncio.run(main())
    assert str(caught.value) == text


def silent_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.SelectorEventLoop, "create_connection", never)


def test_an_address_that_does_not_answer_is_awaited_for_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent_connection(monkeypatch)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(NotReached, match="connecting timed out"):
            await dial(Endpoint(LOOPBACK, 9), 30.0).open()
        return loop.time() - began

    assert run_swiftly(main()) == pytest.approx(30.0, abs=1.0)


def test_a_connection_that_is_not_wanted_any_more_is_not_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent_connection(monkeypatch)

    async def main() -> None:
        source = dial(Endpoint(LOOPBACK, 9), 3600.0)
        source.give_up()  # nothing to give up yet
        opening = asyncio.create_task(source.open())
        await asyncio.sleep(0)
        assert source.is_dialing
        source.give_up()
        with pytest.raises(NotReached):
            await opening
        assert not source.is_dialing

    asyncio.run(main())


def test_a_connection_that_reached_our_own_listener_is_objected_to() -> None:
    async def main() -> str:
        async with ScriptedPrimary() as primary:
            own = [("0.0.0.0", primary.port)]
            with pytest.raises(PeerBroke) as caught:
                await WireReader().open(dial(Endpoint(LOOPBACK, primary.port), 30.0, own))
            assert str(primary.port) in str(caught.value)
            return str(caught.value)

    assert asyncio.run(main()).startswith("the destination is this server itself (127.0.0.1:")


class ReleasedWire:
    """A wire that its session has released."""

    def __init__(self) -> None:
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def test_a_released_wire_is_given_as_it_is() -> None:
    wire = cast("Wire", ReleasedWire())
    source = adopt(wire)
    assert not source.is_dialing
    assert asyncio.run(source.open()) is wire


def test_a_released_wire_that_is_given_up_is_closed() -> None:
    released = ReleasedWire()
    adopt(cast("Wire", released)).give_up()
    assert released.is_aborted
