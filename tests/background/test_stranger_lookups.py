"""Look-ups about clients have bounds, whatever strangers and their name servers do."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from restante.background import stranger_lookups
from restante.background.stranger_lookups import (
    AT_ONCE,
    MOST_PENDING,
    SHARE_AT_ONCE,
    SHARE_PENDING,
    StrangerLookups,
)
from restante.mail.message_origin import PtrStatus
from restante.network.ptr_lookup import (
    FAILURE_SECONDS,
    LONGEST_SECONDS,
    LOOKUP_FAILED,
    NO_NAME,
    NO_NAME_SECONDS,
    SHORTEST_SECONDS,
    PtrAnswer,
    ptr_seconds,
)
from restante.tenancy.model import IpAddress
from tests.delivery.swift_loop import run_swiftly

NAMED = PtrAnswer(PtrStatus.CONFIRMED, "mx.a.example", 600.0)


def ip(text: str) -> IpAddress:
    return ipaddress.ip_address(text)


@dataclass
class NameWorld:
    """Name servers that answer when the test says so."""

    now: float = 0.0
    asked: list[IpAddress] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    answer: PtrAnswer = NAMED
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    is_ending: bool = False

    def __post_init__(self) -> None:
        self.names = StrangerLookups(
            self.look_up, LOOKUP_FAILED, ptr_seconds, self.spawn, lambda: self.now
        )

    async def look_up(self, address: IpAddress, about: str) -> PtrAnswer:
        self.about.append(about)
        self.asked.append(address)
        await self.gate.wait()
        if address == ip("203.0.113.13"):
            raise ZeroDivisionError
        return self.answer

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        if self.is_ending:
            coroutine.close()
            raise RuntimeError
        self.tasks.append(asyncio.get_running_loop().create_task(coroutine))

    async def turns(self) -> None:
        """Let every task come as far as it can."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def find(self, address: str) -> PtrAnswer:
        found = self.names.find(ip(address))
        return found if isinstance(found, PtrAnswer) else await found


Scenario = Callable[[NameWorld], Awaitable[None]]


def play(scenario: Scenario, **given: Any) -> None:
    """Play a scenario; waiting takes no time."""

    async def run() -> None:
        world = NameWorld(**given)
        try:
            await scenario(world)
        finally:
            for task in world.tasks:
                task.cancel()
            await asyncio.gather(*world.tasks, return_exceptions=True)

    run_swiftly(run())


def test_clients_of_one_address_share_a_look_up() -> None:
    async def scenario(world: NameWorld) -> None:
        found = [world.names.find(ip("192.0.2.1")) for _ in range(5)]
        world.gate.set()
        assert [await one for one in found if not isinstance(one, PtrAnswer)] == [NAMED] * 5
        assert world.asked == [ip("192.0.2.1")]
        assert world.names.find(ip("192.0.2.1")) == NAMED

    play(scenario)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (NAMED, 600.0),
        (NAMED._replace(seconds=0.0), SHORTEST_SECONDS),
        (NAMED._replace(seconds=1e9), LONGEST_SECONDS),
        (NO_NAME, NO_NAME_SECONDS),
        (LOOKUP_FAILED, FAILURE_SECONDS),
    ],
)
def test_an_answer_is_kept_for_a_while(answer: PtrAnswer, seconds: float) -> None:
    async def scenario(world: NameWorld) -> None:
        world.gate.set()
        assert await world.find("192.0.2.1") == answer
        world.now = seconds - 1
        assert world.names.find(ip("192.0.2.1")) == answer
        world.now = seconds
        await world.find("192.0.2.1")
        assert len(world.asked) == 2

    play(scenario, answer=answer)


def test_a_share_runs_few_look_ups_and_others_are_next() -> None:
    async def scenario(world: NameWorld) -> None:
        for number in range(SHARE_PENDING):
            world.names.find(ip(f"2001:db8:1:{number:x}::1"))
        await world.turns()
        assert len(world.asked) == SHARE_AT_ONCE
        assert world.names.find(ip("2001:db8:1:ffff::1")) == LOOKUP_FAILED
        world.names.find(ip("192.0.2.1"))
        await world.turns()
        assert world.asked[-1] == ip("192.0.2.1")

    play(scenario)


def test_there_are_never_more_than_the_limits_allow() -> None:
    async def scenario(world: NameWorld) -> None:
        first = int(ip("192.0.2.1"))
        wanted = [ipaddress.IPv4Address(first + n) for n in range(MOST_PENDING + 5)]
        found = [world.names.find(address) for address in wanted]
        await world.turns()
        assert len(world.asked) == AT_ONCE
        assert found[-5:] == [LOOKUP_FAILED] * 5
        world.gate.set()
        await asyncio.gather(*world.tasks)
        assert await world.find("198.51.100.1") == NAMED

    play(scenario)


def test_only_the_newest_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger_lookups, "MOST_KEPT", 2)

    async def scenario(world: NameWorld) -> None:
        world.gate.set()
        for number in (1, 2, 3, 1):
            await world.find(f"192.0.2.{number}")
        assert [int(one) & 255 for one in world.asked] == [1, 2, 3, 1]

    play(scenario)


def test_a_silent_name_server_is_a_failure() -> None:
    async def scenario(world: NameWorld) -> None:
        assert await world.find("192.0.2.1") == LOOKUP_FAILED
        assert world.asked == [ip("192.0.2.1")]

    play(scenario)


def test_a_defect_leaves_nobody_waiting() -> None:
    async def scenario(world: NameWorld) -> None:
        world.gate.set()
        assert await world.find("203.0.113.13") == LOOKUP_FAILED

    play(scenario)


def test_nothing_is_looked_up_while_the_server_ends() -> None:
    async def scenario(world: NameWorld) -> None:
        assert await world.find("192.0.2.1") == LOOKUP_FAILED
        world.is_ending = False
        world.gate.set()
        assert await world.find("192.0.2.1") == NAMED

    play(scenario, is_ending=True)


def test_a_new_question_is_asked_anew() -> None:
    async def scenario(world: NameWorld) -> None:
        world.gate.set()
        await world.find("192.0.2.1")
        world.names.forget()
        await world.find("192.0.2.1")
        assert len(world.asked) == 2

    play(scenario)


def test_a_question_is_about_an_address_and_another_fact() -> None:
    async def scenario(world: NameWorld) -> None:
        world.gate.set()
        for about in ("a.example", "b.example", "a.example"):
            found = world.names.find(ip("192.0.2.1"), about)
            assert (found if isinstance(found, PtrAnswer) else await found) == NAMED
        assert world.about == ["a.example", "b.example"]

    play(scenario)
