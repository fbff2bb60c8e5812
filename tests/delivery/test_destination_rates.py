"""Destinations that limit the rate, and those for which the operator does."""

import asyncio
from dataclasses import dataclass, field

import pytest

from restante.delivery.destination_rates import DestinationRates
from restante.queue.deferral_cause import DeferralCause
from restante.queue.drain_word import DrainState
from restante.queue.recipient_status import RecipientStatus
from restante.queue.retry_schedule import Schedule, rate_pause
from restante.telemetry.events import DrainStarted
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World, until

AHEAD = ("PIPELINING", "CHUNKING")
TOO_MUCH = "450 4.7.1 Error: too much mail from 127.0.0.1"


@dataclass
class Limiting(ScriptedPrimary):
    """Takes so many MAIL a minute, as Postfix counts them; the probe's are among them."""

    world: World = field(default_factory=World)
    most: int = 5
    began_at: float = 0.0
    mails: int = 0

    def answer(self, command: str) -> str:
        if command.startswith("MAIL"):
            if self.world.now - self.began_at > 60:
                self.began_at, self.mails = self.world.now, 0
            self.mails += 1
            if self.mails > self.most:
                return TOO_MUCH
        return super().answer(command)


def numbers(primary: ScriptedPrimary) -> set[int]:
    return {int(taken.content) for taken in primary.taken if taken.content}


def sent_in_each_minute(offer: tuple[str, ...], count: int) -> tuple[Limiting, World]:
    world = World()
    primary = Limiting(offer=offer, world=world)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port)
            await world.hold(domain, count)
            await world.drain(domain)

    asyncio.run(main())
    return primary, world


@pytest.mark.parametrize("offer", [AHEAD, ("PIPELINING",), ("8BITMIME",)])
def test_a_primary_that_takes_five_a_minute_gets_five(offer: tuple[str, ...]) -> None:
    primary, world = sent_in_each_minute(offer, 50)
    assert not asyncio.run(world.waiting(RecipientStatus.HELD))
    assert numbers(primary) == set(range(1, 51))
    began = world.log.of(DrainStarted)[0]
    assert began["held"] == 50
    assert world.end["seconds"] <= 11 * 75  # ten minutes of five, and one more for the probe


def test_patience_begins_anew_while_the_destination_takes_its_rate() -> None:
    world = World()
    world.set(patience=100.0)
    primary = Limiting(world=world)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 40)
            await world.drain(domain)

    asyncio.run(main())
    assert numbers(primary) == set(range(1, 41))


def test_status_tells_a_rate_limit_from_a_policy() -> None:
    async def main(script: dict[str, str | list[str]]) -> DeferralCause | None:
        world = World()
        told: list[DeferralCause | None] = []

        async def look() -> None:
            told.extend(view.hindrance for view in dispatcher.drains())
            await asyncio.Event().wait()

        world.on_pause = look
        async with ScriptedPrimary(script) as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            await dispatcher.start(domain, "test")
            await until(lambda: bool(told))
        return told[0]

    assert asyncio.run(main({"MAIL": TOO_MUCH})) is DeferralCause.RATE
    assert (
        asyncio.run(main({"RCPT": "450 4.7.25 cannot find your hostname"})) is DeferralCause.POLICY
    )
    assert asyncio.run(main({"RCPT": "450 4.2.0 busy"})) is None


def test_a_sender_that_is_deferred_does_not_count_as_a_rate_limit() -> None:
    world = World()
    primary = ScriptedPrimary({"MAIL": ["451 4.1.8 no such domain"]})

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 10)
            await world.drain(domain)

    asyncio.run(main())
    assert numbers(primary) == set(range(1, 11))
    assert len(world.pauses) == 1
    assert primary.most_open > 1


def test_the_probe_is_remembered_where_the_last_drain_went_well() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary(offer=AHEAD) as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            for count in (100, 7, 100):
                await world.hold(domain, count)
                before = primary.connections, primary.commands.count("MAIL FROM:<>")
                await dispatcher.start(domain, "test")
                await until(lambda: not list(dispatcher.drains()))
                probes = primary.commands.count("MAIL FROM:<>") - before[1]
                if count == 7:
                    assert primary.connections - before[0] == 1  # as many as are needed
                assert (probes > 0) == (before[1] == 0)
            assert len([taken for taken in primary.taken if taken.forward_paths]) == 207
            primary.offer = (*AHEAD, "SIZE 1000000")  # another server, perhaps
            await world.hold(domain, 7)
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))
            assert primary.commands.count("MAIL FROM:<>") > before[1]

    asyncio.run(main())


def test_a_few_messages_make_one_connection_on_the_first_drain_too() -> None:
    world = World()
    primary = ScriptedPrimary(offer=AHEAD)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 7)
            await world.drain(domain)

    asyncio.run(main())
    assert primary.connections == 1


def test_the_operator_says_how_many_a_minute() -> None:
    world = World()
    world.set(patience=10.0)
    primary = ScriptedPrimary(offer=AHEAD)
    states: list[DrainState] = []

    async def main() -> None:
        async with primary, world.dispatcher() as dispatcher:

            async def look() -> None:
                states.extend(view.state for view in dispatcher.drains())

            world.on_pause = look
            domain = await world.host(primary.port, per_minute=5)
            await world.hold(domain, 21)
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))

    asyncio.run(main())
    assert len(primary.taken) == 21
    assert world.pauses == [60.0] * 4
    assert states[0] is DrainState.WAITING_TO_RETRY
    assert "MAIL FROM:<>" not in primary.commands  # no probe
    assert primary.most_open == 1


def test_domains_with_one_destination_share_the_smallest_number() -> None:
    world = World()
    primary = ScriptedPrimary()

    async def main() -> None:
        async with primary, world.dispatcher() as dispatcher:
            first = await world.host(primary.port, per_minute=4)
            second = await world.host(primary.port, "c.example", per_minute=100)
            await world.hold(first, 8)
            await world.hold(second, 8)
            await dispatcher.start(first, "test")
            await dispatcher.start(second, "test")
            await until(lambda: not list(dispatcher.drains()))

    asyncio.run(main())
    assert len(primary.taken) == 16
    assert world.end == {} or world.pauses


def test_in_no_minute_more_leave_and_each_domain_has_its_part() -> None:
    clock = [0.0]
    rates = DestinationRates(lambda: clock[0])
    assert [rates.take("d", 1, 3) for _ in range(4)] == [0.0, 0.0, 0.0, 60.0]
    clock[0] = 30.0
    assert rates.take("d", 2, 3) == 30.0
    assert rates.take("e", 2, 3) == 0.0
    clock[0] = 60.0  # two want to send: two each at most
    assert [rates.take("d", 1, 3) for _ in range(3)] == [0.0, 0.0, 60.0]
    assert rates.take("d", 2, 3) == 0.0
    assert rates.take("d", 2, 3) == 60.0


def test_a_rate_can_be_of_another_period() -> None:
    clock = [0.0]
    rates = DestinationRates(lambda: clock[0], seconds=1.0)
    assert [rates.take("d", 1, 2) for _ in range(3)] == [0.0, 0.0, 1.0]
    clock[0] = 1.0
    assert rates.take("d", 1, 2) == 0.0


def test_pauses_after_a_rate_limit_are_short_for_a_minute_and_then_grow() -> None:
    pauses = [rate_pause(Schedule(5.0, 300.0), failures, 0.5) for failures in range(1, 13)]
    assert pauses == [5, 10, 15, 15, 15, 15, 30, 60, 120, 240, 300, 300]
