"""Mail that loops is marked refused, and delays no other mail."""

import asyncio

from restante.delivery.delivery_settings import DeliverySettings
from restante.queue.recipient_status import RecipientStatus
from restante.telemetry.events import DeliveryRefused
from restante.tenancy.model import HostedDomain
from tests.delivery.drained import play
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World, until

RECEIVED = b"Received: x\r\n"
PARKED = [
    (
        "b@b.example",
        RecipientStatus.REFUSED,
        "554 5.4.6 Not sent: this number of Received fields means a mail loop",
    )
]


def test_mail_that_goes_in_a_circle_is_parked_and_the_rest_is_handed_over() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, content=RECEIVED * 50 + b"\r\none\r\n")
        await world.hold(domain, content=RECEIVED * 51 + b"\r\ntwo\r\n")
        await world.hold_large(domain, RECEIVED, RECEIVED * 49 + b"\r\nthree\r\n")
        await world.hold_large(domain, RECEIVED, RECEIVED * 50 + b"\r\nfour\r\n")
        await world.drain(domain)

    world = World()
    play(world, primary, scene)
    assert sorted(taken.content.splitlines()[-1] for taken in primary.taken) == [b"one", b"three"]
    assert (world.end["delivered"], world.end["refused"], world.end["deferred"]) == (2, 2, 0)
    assert asyncio.run(world.waiting(RecipientStatus.REFUSED)) == [2, 4]
    assert [asyncio.run(world.words(number)) for number in (2, 4)] == [PARKED, PARKED]
    assert len(world.log.of(DeliveryRefused)) == 2


def test_mail_that_goes_in_a_circle_is_parked_even_where_refused_mail_is_bounced() -> None:
    """A report would loop in the same way."""
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, content=RECEIVED * 51 + b"\r\n")
        await world.drain(domain)
        assert await world.reports() == []

    world = World(bounces_refused=True)
    play(world, primary, scene)
    assert asyncio.run(world.words(1)) == PARKED


def test_how_far_mail_may_come_can_be_set_while_a_drain_runs() -> None:
    """It makes two rounds: the second looks again at mail that the first one deferred."""
    primary = ScriptedPrimary(script={"CONTENT": ["451 later"]})

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, content=RECEIVED * 3 + b"\r\n")
        async with world.dispatcher() as dispatcher:

            async def reload() -> None:
                world.settings = DeliverySettings(hops_limit=2)

            world.on_pause = reload
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))

    world = World()
    play(world, primary, scene)
    assert primary.taken == []
    assert asyncio.run(world.words(1)) == PARKED
