"""Listeners on loopback: begun together, changed together or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from restante.reception import listeners as listeners_module
from restante.reception.doorkeeper import Doorkeeper, DoorLimits
from restante.reception.listener import bind
from restante.reception.listeners import (
    CannotListen,
    ListenerAddress,
    Listeners,
    listener_addresses,
)
from restante.reception.smtp_connection import SessionSettings
from tests.acceptance.peers.ports import free_port

SETTINGS = cast("SessionSettings", object())  # no session begins here


def settings(_place: ListenerAddress) -> SessionSettings:
    return SETTINGS


@asynccontextmanager
async def listening(*wanted: ListenerAddress) -> AsyncIterator[Listeners]:
    """Open listeners at these places, and close them at the end."""
    door = Doorkeeper(DoorLimits(9, 9, 9, 9), lambda _: False, lambda: 0.0)
    opened = Listeners(door, lambda: 0.0)
    await opened.begin([(place, bind(place.address)) for place in wanted], settings)
    try:
        yield opened
    finally:
        opened.close()


def is_open(place: ListenerAddress) -> bool:
    """Tell whether a socket listens there: then nobody else can bind the address."""
    try:
        bind(place.address).close()
    except OSError:
        return True
    return False


def mx(port: int, host: str = "127.0.0.1") -> ListenerAddress:
    return ListenerAddress("mx", f"{host}:{port}")


def smtps(port: int, host: str = "127.0.0.1") -> ListenerAddress:
    return ListenerAddress("smtps", f"{host}:{port}")


def test_equal_places_are_numbered() -> None:
    listed = [("mx", "[::1]:0"), ("smtps", "[::1]:0"), ("mx", "[::1]:0")]
    found = listener_addresses(listed)
    assert [place.nth for place in found] == [0, 0, 1]
    assert len(set(found)) == 3
    assert found[0].text == "mx [::1]:0"


def test_a_change_opens_new_places_and_closes_the_others_in_the_wanted_order() -> None:
    async def test() -> None:
        first, second, third = (mx(free_port()) for _ in range(3))
        async with listening(first, second) as opened:
            kept = list(opened)[1]
            await opened.change([third, second], settings)
            assert opened.places == [third, second]
            assert list(opened)[1] is kept
            assert [is_open(place) for place in (first, second, third)] == [False, True, True]

    asyncio.run(test())


def test_an_address_in_use_changes_nothing() -> None:
    async def test() -> None:
        first, second, third = (mx(free_port()) for _ in range(3))
        with bind(third.address) as other:
            other.listen()
            async with listening(first) as opened:
                before = list(opened)
                with pytest.raises(CannotListen, match=f"{third.address}: Address already in use"):
                    await opened.change([second, third], settings)
                assert list(opened) == before
                assert is_open(first)
                assert not is_open(second)

    asyncio.run(test())


def test_a_service_that_changes_takes_over_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        port = free_port()
        async with listening(mx(port)) as opened:
            monkeypatch.setattr(listeners_module, "bind", None)  # nothing is bound again
            await opened.change([smtps(port)], settings)
            assert opened.places == [smtps(port)]
            assert is_open(mx(port))

    asyncio.run(test())


def test_an_overlapping_address_replaces_the_removed_one() -> None:
    async def test() -> None:
        port = free_port()
        async with listening(mx(port)) as opened:
            await opened.change([mx(port, "0.0.0.0")], settings)
            assert opened.places == [mx(port, "0.0.0.0")]
            assert is_open(mx(port, "127.0.0.2"))

    asyncio.run(test())


def test_without_the_privilege_for_an_address_every_removal_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deny(_address: str, *, is_shared: bool) -> socket.socket:
        raise PermissionError

    async def test() -> None:
        port = free_port()
        async with listening(mx(port)) as opened:
            monkeypatch.setattr(listeners_module, "bind", deny)
            await opened.change([mx(free_port())], settings)
            assert opened.places == [mx(port)]
            assert is_open(mx(port))

    asyncio.run(test())


def test_each_open_listener_gets_its_new_settings() -> None:
    async def test() -> None:
        place = mx(free_port())
        async with listening(place) as opened:
            later = cast("SessionSettings", object())
            await opened.change([place], lambda _place: later)
            assert [listener.settings for listener in opened] == [later]

    asyncio.run(test())


def test_a_server_that_stops_opens_nothing_any_more() -> None:
    async def test() -> None:
        first, second = mx(free_port()), mx(free_port())
        async with listening(first) as opened:
            opened.close()
            await opened.change([second], settings)
            assert not is_open(second)
            assert opened.sessions() == {"mx": 0}

    asyncio.run(test())
