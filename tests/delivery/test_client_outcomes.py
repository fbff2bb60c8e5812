"""Replies about a client: its mail is deferred or refused, and that of others goes on."""

import asyncio

import pytest

from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import RecipientStatus
from restante.telemetry.events import DrainFinished
from restante.tenancy.model import ClientPassing, HostedDomain
from restante.tenancy.policy import Policy
from tests.delivery.by_client import (
    BLOCKED,
    GOOD,
    STRANGERS,
    WITH_XCLIENT,
    counted_drains,
    listing,
    origin,
    primary_for,
    statuses,
    watched,
)
from tests.delivery.drained import numbers, play, still_held
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World, is_idle


def test_two_hundred_clients_deferred_by_policy_keep_nobody_waiting_for_long() -> None:
    passing = ClientPassing.XCLIENT
    policy = "450 4.7.25 Client host rejected: cannot find your hostname"
    primary = ScriptedPrimary({"RCPT TO:<x": policy}, offer=WITH_XCLIENT[1:])
    world, times, pauses = World(), list[float](), list[float]()
    world.set(patience=0.0)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for one in STRANGERS:
            await world.hold(domain, 1, "x@b.example", origin=one)
        await world.hold(domain, origin=origin(1))
        began = asyncio.get_running_loop().time()
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            while not is_idle(dispatcher):
                await asyncio.sleep(1.0)
                if primary.taken and not times:
                    times.append(asyncio.get_running_loop().time() - began)
                    pauses.extend(world.pauses)

    play(world, primary, scene, run_swiftly, client_address=passing)
    assert numbers(primary) == [201]
    assert times[0] < 160.0  # 40, and the time of a busy machine
    assert pauses == []
    assert still_held(world) == list(range(1, 201))


@pytest.mark.parametrize(
    ("passing", "moment"),
    [
        (ClientPassing.PROXY, "MAIL"),
        (ClientPassing.PROXY, "RCPT"),
        (ClientPassing.XCLIENT, "RCPT"),
        (ClientPassing.XCLIENT, "CONTENT"),
    ],
)
def test_two_hundred_clients_refused_by_policy_in_front_keep_nobody_waiting_for_long(
    passing: ClientPassing, moment: str
) -> None:
    """So does Postfix with listed clients: it waits for RCPT (smtpd_delay_reject)."""
    primary = listing(passing, moment, BLOCKED)
    found = watched(primary, passing, [*STRANGERS, *GOOD], wanted=5, seconds=600.0)
    assert sorted(numbers(primary)) == list(range(201, 206))
    assert found.times[-1] < 160.0  # 40, and the time of a busy machine
    assert found.world.pauses == []
    assert statuses(found.world) == {RecipientStatus.REFUSED: 20, RecipientStatus.HELD: 180}


def test_a_destination_that_refuses_the_mail_of_every_client_by_mistake_marks_twenty() -> None:
    """A block list behind a public resolver can answer for all. Our own name is taken."""
    passing = ClientPassing.PROXY
    primary = listing(passing, "RCPT", BLOCKED, network="")
    mail = [
        MessageOrigin(f"203.0.{n // 250}.{n % 250 + 1}", 1, f"n{n}.example") for n in range(520)
    ]
    found = watched(primary, passing, mail, seconds=200.0, patience=600.0)
    assert primary.taken == []
    assert found.world.pauses[0] == 60.0  # after 500, and the next attempt marks no more
    assert len(set(primary.headers)) == 521
    assert len(primary.headers) > 530  # some were tried again
    assert statuses(found.world) == {RecipientStatus.REFUSED: 20, RecipientStatus.HELD: 500}


def test_a_destination_that_refuses_our_mail_too_ends_the_drain_as_always() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"RCPT": BLOCKED, "DATA": "554 5.5.1 no valid recipients"})
    found = watched(primary, passing, STRANGERS, patience=600.0, connections=1)
    assert found.world.pauses == []
    assert "nor is ours: 554 5.7.1" in found.world.log.of(DrainFinished)[-1]["reason"]
    assert statuses(found.world)[RecipientStatus.REFUSED] == 20
    assert primary.connections <= 25
    assert counted_drains(found.world) == [0] * 200


def test_a_delivery_lets_refusals_stand_again() -> None:
    passing = ClientPassing.PROXY
    primary = listing(passing, "RCPT", BLOCKED)
    mail = [*STRANGERS[:15], GOOD[0], *STRANGERS[15:30], GOOD[1]]
    found = watched(primary, passing, mail, connections=1)
    assert sorted(numbers(primary)) == [16, 32]
    assert statuses(found.world) == {RecipientStatus.REFUSED: 30}


def test_mail_kept_from_a_refusal_by_policy_is_counted_once_and_never_up_to_a_limit() -> None:
    passing = ClientPassing.PROXY
    for policy, most in ((Policy(), 1), (Policy(after_drains=2), 0)):
        primary = listing(passing, "RCPT", BLOCKED)
        world = World()
        world.set(patience=0.0)

        async def scene(
            world: World, primary: ScriptedPrimary, _: HostedDomain, policy: Policy = policy
        ) -> None:
            domain = await world.host(primary.port, policy=policy, client_address=passing)
            for one in STRANGERS[:60]:
                await world.hold(domain, origin=one)
            for _drain in range(2):
                world.step(100.0)
                async with world.dispatcher() as dispatcher:
                    await dispatcher.start(domain, "test")
                    for _half_second in range(100):
                        await asyncio.sleep(0.5)
                    assert is_idle(dispatcher)

        play(world, primary, scene, run_swiftly, client_address=passing)
        assert statuses(world) == {RecipientStatus.REFUSED: 40, RecipientStatus.HELD: 20}
        assert max(counted_drains(world)) == most


def test_refusals_that_name_no_policy_end_the_drain_after_twenty_as_always() -> None:
    passing = ClientPassing.PROXY
    primary = listing(passing, "RCPT", "554 5.3.0 broken")
    found = watched(primary, passing, [*STRANGERS, *GOOD], connections=1)
    assert primary.taken == []
    assert statuses(found.world)[RecipientStatus.REFUSED] == 20
    assert "20 messages in a row were refused" in found.world.log.of(DrainFinished)[-1]["reason"]


def test_a_rate_limit_for_one_client_does_not_stop_the_others() -> None:
    limit = "450 4.7.1 Error: too much mail from 198.51.100.1"
    primary = primary_for(ClientPassing.XCLIENT, {"RCPT TO:<x": limit})
    world = World()
    world.set(patience=0.0)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for _turn in range(15):
            await world.hold(domain, 1, "x@b.example", origin=origin(1))
            await world.hold(domain, 1, "b@b.example", origin=origin(2))
        await world.drain(domain)

    play(world, primary, scene, run_swiftly, client_address=ClientPassing.XCLIENT, connections=1)
    assert len([taken for taken in primary.taken if taken.content]) == 15
    assert len(still_held(world)) == 15
    said = [command for command in primary.commands if command.startswith("RCPT TO:<x")]
    assert len(said) == 1  # the rest of that client's mail is not even tried


def test_a_policy_against_some_clients_stays_a_deferral_and_is_told_as_a_policy() -> None:
    policy = "450 4.7.25 Client host rejected: cannot find your hostname"
    primary = primary_for(ClientPassing.XCLIENT, {"RCPT TO:<x": policy})
    world = World()
    world.set(patience=0.0)
    seen: list[str] = []

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for host in range(1, 16):
            await world.hold(domain, 1, "x@b.example", origin=origin(host))
        await world.hold(domain, 1, origin=origin(99))
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            while not is_idle(dispatcher):
                seen.extend(str(view.hindrance) for view in dispatcher.drains() if view.hindrance)
                await asyncio.sleep(0)

    play(world, primary, scene, run_swiftly, client_address=ClientPassing.XCLIENT, connections=1)
    taken = [int(one.content) for one in primary.taken if one.content]
    assert taken == [16]  # ten in a row would have ended the attempt, if they were ours
    assert len(still_held(world)) == 15
    assert "policy" in seen
