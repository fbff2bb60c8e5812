"""A destination that refuses every message: the drain stops before the whole queue is refused."""

import asyncio

from restante.delivery.delivery_settings import DeliverySettings
from restante.queue.recipient_status import RecipientStatus
from restante.telemetry.events import DestinationRefuses
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World

REFUSED = "550 5.7.1 our filter is broken"
TAKEN = "250 2.1.5 OK"
ONE_BY_ONE = ("8BITMIME",)  # no PIPELINING: nothing is on its way when the last refusal comes


def drained(count: int, primary: ScriptedPrimary, **settings: int) -> World:
    """Hold so many messages and drain them over one connection."""
    world = World(settings=DeliverySettings(**settings))  # type: ignore[arg-type]

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, count)
            await world.drain(domain)

    asyncio.run(main())
    return world


def count(world: World, status: RecipientStatus) -> int:
    return len(asyncio.run(world.waiting(status)))


def test_many_refusals_in_a_row_stop_the_drain_and_the_rest_is_held() -> None:
    world = drained(100, ScriptedPrimary({"RCPT": REFUSED}, offer=ONE_BY_ONE))
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (20, 80)
    assert world.pauses == []  # it is not tried again
    [told] = world.log.of(DestinationRefuses)
    assert (told["domain"], told["account"], told["refused"], told["held"]) == (
        "b.example",
        "alpha",
        20,
        80,
    )
    assert world.end["reason"] == told["reason"] == f"20 messages in a row were refused: {REFUSED}"
    assert world.store.handover.open_drains() == []


def test_one_that_is_taken_in_between_begins_the_row_anew() -> None:
    replies = [*[REFUSED] * 19, TAKEN, *[REFUSED] * 19, TAKEN, REFUSED]
    world = drained(41, ScriptedPrimary({"RCPT": replies}, offer=ONE_BY_ONE))
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (39, 0)
    assert world.log.of(DestinationRefuses) == []


def test_the_operator_says_how_many() -> None:
    world = drained(10, ScriptedPrimary({"CONTENT": REFUSED}, offer=ONE_BY_ONE), refusals_limit=3)
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (3, 7)


def test_content_under_way_at_the_limit_of_refusals_still_counts() -> None:
    world = drained(100, ScriptedPrimary({"CONTENT": [TAKEN, TAKEN, *[REFUSED] * 98]}))
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (21, 77)


def test_untried_recipients_are_not_counted_as_refused() -> None:
    """It takes no message of that size: each is refused by us, and says nothing against it."""
    world = drained(25, ScriptedPrimary(offer=("PIPELINING", "SIZE 1")))
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (25, 0)
    assert world.log.of(DestinationRefuses) == []


def test_the_next_request_goes_on_where_this_one_stopped() -> None:
    world, primary = (
        World(settings=DeliverySettings(refusals_limit=5)),
        ScriptedPrimary({"RCPT": REFUSED}, offer=ONE_BY_ONE),
    )

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 12)
            await world.drain(domain)
            primary.script.clear()
            await world.drain(domain)

    asyncio.run(main())
    assert [int(taken.content) for taken in primary.taken] == list(range(6, 13))
    assert count(world, RecipientStatus.REFUSED) == 5


def test_unknown_users_at_the_head_of_the_queue_keep_no_good_mail_back() -> None:
    world, primary = (
        World(),
        ScriptedPrimary({f"RCPT TO:<no{n}@": f"550 5.1.1 no{n}: unknown" for n in range(65)}),
    )

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port)
            for n in range(65):
                await world.hold(domain, 1, f"no{n}@b.example")
            await world.hold(domain, 5, "good@b.example")
            await world.drain(domain)

    asyncio.run(main())
    assert (
        sum(bool(taken.forward_paths) for taken in primary.taken) == 5
    )  # the rest are end marks alone
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (65, 0)
    assert world.log.of(DestinationRefuses) == []


def test_a_destination_without_its_list_of_mailboxes_does_not_refuse_the_whole_queue() -> None:
    world, primary = World(), ScriptedPrimary({"RCPT": "550 5.1.1 no such user"}, offer=ONE_BY_ONE)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            for n in range(50):
                await world.hold(domain, 1, f"u{n}@b.example")
            await world.drain(domain)

    asyncio.run(main())
    assert (count(world, RecipientStatus.REFUSED), count(world, RecipientStatus.HELD)) == (20, 30)
    [told] = world.log.of(DestinationRefuses)
    assert (
        told["reason"]
        == "20 recipients were refused alike and none was accepted: 550 5.1.1 no such user"
    )
