"""Mail that a policy of the destination defers: counted, last, and refused at a limit."""

import asyncio

import pytest

from restante.delivery.delivery_settings import DeliverySettings
from restante.mail.envelope import Envelope
from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueueFilter
from restante.telemetry.events import DeliveryRefused
from restante.tenancy.policy import OnRefusal, Policy
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World

POLICY = "450 4.7.25 Client host rejected: cannot find your hostname"
ONE_BY_ONE = ("8BITMIME",)
TAKEN = "250 2.1.5 OK"
PARK = Policy(after_drains=3, on_refusal=OnRefusal.BOUNCE)


async def drains(world: World, number: int = 1) -> int:
    """Return in how many drains a policy deferred a message."""
    [listed] = await world.store.queue.list_queue(QueueFilter(numbers=(number,)))
    return listed.policy_deferrals


def test_each_drain_counts_once_and_the_mail_goes_last_and_is_parked_at_the_limit() -> None:
    """It is not bounced, although the policy bounces refused mail: a reputation can be wrong."""
    world = World(settings=DeliverySettings(patience=60))

    async def main() -> None:
        async with ScriptedPrimary(offer=ONE_BY_ONE) as primary:
            domain = await world.host(primary.port, connections=1, policy=PARK)
            await world.hold(domain, 1)
            for drain in (1, 2):
                primary.script["RCPT"] = POLICY
                await world.drain(domain)
                assert await drains(world) == drain
                assert len(world.pauses) > drain, "each drain has tried it again"
            await world.hold(domain, 2)
            primary.script["RCPT"] = [TAKEN, TAKEN, POLICY]
            await world.drain(domain)
            assert [int(one.content) for one in primary.taken] == [2, 3]

    asyncio.run(main())
    assert asyncio.run(world.words(1)) == [("b@b.example", RecipientStatus.REFUSED, POLICY)]
    assert (world.end["delivered"], world.end["refused"]) == (2, 1)
    assert [one["reply"] for one in world.log.of(DeliveryRefused)] == [POLICY]
    assert asyncio.run(world.reports()) == []


@pytest.mark.parametrize(
    "script",
    [
        {"MAIL": "450 4.7.1 Error: too much mail from 192.0.2.1"},
        {"RCPT": "451 4.3.0 Temporary lookup failure"},
        {"MAIL": "421 4.7.0 too many connections"},
        {"GREETING": "421 4.3.2 the service is down"},
        {"CONTENT": "451 4.7.1 Service unavailable - try again later"},
    ],
)
def test_mail_of_a_destination_that_is_down_or_busy_is_never_counted(
    script: dict[str, str],
) -> None:
    world = World(settings=DeliverySettings(patience=60))

    async def main() -> None:
        async with ScriptedPrimary(script, offer=ONE_BY_ONE) as primary:  # type: ignore[arg-type]
            domain = await world.host(primary.port, policy=Policy(after_drains=2))
            await world.hold(domain, 1)
            for _ in range(3):
                await world.drain(domain)
            assert await drains(world) == 0

    asyncio.run(main())
    assert asyncio.run(world.waiting(RecipientStatus.HELD)) == [1]


def test_other_recipients_of_a_parked_message_stay_held() -> None:
    world = World(settings=DeliverySettings(patience=1))

    async def main() -> None:
        async with ScriptedPrimary(offer=ONE_BY_ONE) as primary:
            domain = await world.host(primary.port, policy=Policy(after_drains=2))
            await world.hold_asking(domain, Envelope("a@a.example", ("b@b.example", "c@b.example")))
            for _ in range(2):
                world.step(1)
                primary.script["RCPT"] = [POLICY, "452 4.2.2 mailbox full"]
                await world.drain(domain)
            assert await drains(world) == 2

    asyncio.run(main())
    assert {path: status for path, status, _ in asyncio.run(world.words(1))} == {
        "b@b.example": RecipientStatus.REFUSED,
        "c@b.example": RecipientStatus.HELD,
    }
