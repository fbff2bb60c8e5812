"""How long DNS answers are kept: with a name server on loopback, and a test's clock."""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest

from restante.network.resolver import DnsResolver, LookupFailed
from tests.acceptance.name_server import ADDRESS, NameServer, Records

HERE: Records = {"home.example": {"A": ["192.0.2.1"]}}
MOVED: Records = {"home.example": {"A": ["192.0.2.2"]}}
LONG = 86_400


class Asking:
    """A resolver, its name server, and its clock."""

    def __init__(self, names: NameServer) -> None:
        self.names, self.now = names, 1000.0
        self.resolver = DnsResolver([(ADDRESS, names.port)], lambda: self.now)

    async def found(self) -> str:
        try:
            return str((await self.resolver.addresses("home.example"))[0])
        except LookupFailed as error:
            return "later" if error.is_temporary else "none"


def play(records: Records, act: Callable[[Asking], Awaitable[None]]) -> None:
    async def main(names: NameServer) -> None:
        await act(Asking(names))

    with NameServer(records, time_to_live=LONG) as names:
        asyncio.run(main(names))


def test_a_name_that_did_not_exist_is_looked_up_again_after_a_minute() -> None:
    async def act(asking: Asking) -> None:
        assert await asking.found() == "none"
        asking.names.records = HERE
        asking.now += 59.0
        assert await asking.found() == "none"
        asking.now += 1.0
        assert await asking.found() == "192.0.2.1"

    play({}, act)


def test_an_address_is_kept_for_an_hour_at_most() -> None:
    async def act(asking: Asking) -> None:
        assert await asking.found() == "192.0.2.1"
        asking.names.records = MOVED
        asking.now += 3599.0
        assert await asking.found() == "192.0.2.1"
        asking.now += 1.0
        assert await asking.found() == "192.0.2.2"

    play(HERE, act)


@pytest.mark.parametrize(("before", "after"), [(HERE, "192.0.2.2"), ({}, "192.0.2.2")])
def test_a_forgotten_name_is_looked_up_at_once(before: Records, after: str) -> None:
    async def act(asking: Asking) -> None:
        await asking.found()
        asking.names.records = MOVED
        asking.resolver.forget("home.example")
        assert await asking.found() == after
        asked = len(asking.names.asked)
        asking.resolver.forget("other.example")
        assert await asking.found() == after
        assert len(asking.names.asked) == asked

    play(before, act)


def test_a_failure_is_not_kept() -> None:
    async def act(asking: Asking) -> None:
        asking.names.failing = {"home.example"}
        assert await asking.found() == "later"
        asking.names.failing = set()
        assert await asking.found() == "192.0.2.1"

    play(HERE, act)


def test_localhost_never_leaves_this_machine() -> None:
    async def act(asking: Asking) -> None:
        asking.resolver.forget("localhost")
        assert ip_address("127.0.0.1") in await asking.resolver.addresses("localhost")
        assert not asking.names.asked

    play({}, act)
