"""Endpoints, time limits and look-ups of every connection to another mail host."""

import asyncio
import ipaddress
from typing import Any

import pytest

from restante.delivery.route import Endpoint, NoRoute
from restante.tenancy.model import Destination, TlsUse
from tests.delivery.world import Names, World

HOST = "192.0.2.9"


def endpoints(world: World, host: str) -> list[str]:
    dialer = world.new_context().dialer
    found = asyncio.run(dialer.endpoints(Destination(host, 25, TlsUse.OFF)))
    return [one.text for one in found]


def test_an_address_needs_no_look_up() -> None:
    world = World()
    assert endpoints(world, HOST) == [f"{HOST}:25"]
    assert world.names.asked == []


def test_a_name_is_looked_up() -> None:
    world = World(names=Names({"p.example": [HOST, "192.0.2.10"]}))
    assert endpoints(world, "p.example") == [f"{HOST}:25", "192.0.2.10:25"]


def test_a_name_without_an_address_has_no_route() -> None:
    with pytest.raises(NoRoute, match="no such name in DNS"):
        endpoints(World(), "p.example")


def test_an_own_address_is_never_dialed() -> None:
    with pytest.raises(NoRoute, match="this server itself"):
        endpoints(World(own_addresses=[(HOST, 25)]), HOST)


def test_a_name_is_forgotten_when_its_host_may_have_moved() -> None:
    world = World()
    world.new_context().dialer.forget("p.example")
    assert world.names.forgotten == ["p.example"]


@pytest.mark.parametrize(("seconds", "expected"), [(None, 7.0), (2.0, 2.0), (0.0, 0.0)])
def test_connecting_takes_at_most_the_time_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, seconds: float | None, expected: float
) -> None:
    given: list[float] = []

    def dial(_endpoint: Endpoint, timeout: float, _own: Any, *, opening: bytes) -> None:
        assert opening == b""
        given.append(timeout)

    monkeypatch.setattr("restante.delivery.dialer.dial", dial)
    world = World()
    world.set(connect_timeout=7.0)
    endpoint = Endpoint(ipaddress.ip_address(HOST), 25)
    world.new_context().dialer.dial(Destination(HOST), endpoint, seconds)
    assert given == [expected]
