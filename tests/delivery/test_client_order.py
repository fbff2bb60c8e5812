"""Clients that are silent or refused come behind the others."""

import asyncio

import pytest

from restante.mail.message_origin import MessageOrigin
from restante.tenancy.model import ClientPassing, HostedDomain
from restante.tenancy.policy import Policy
from tests.delivery.by_client import (
    GOOD,
    LISTED,
    PASSINGS,
    STRANGERS,
    counted_drains,
    drained,
    header_of,
    listing,
    origin,
    primary_for,
    silent_for,
    stranger,
    watched,
)
from tests.delivery.drained import numbers, play, still_held
from tests.delivery.scripted_primary import CLOSE, SILENCE, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World, is_idle


@pytest.mark.parametrize("passing", PASSINGS)
def test_a_client_that_gets_no_answer_does_not_keep_the_others_waiting(
    passing: ClientPassing,
) -> None:
    """A server can keep a listed client waiting, or wait itself for the name of a client."""
    unknown = "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]"
    silent = {"GREETING 198.51.100.2": SILENCE, f"XCLIENT {unknown} ADDR=198.51.100.2": SILENCE}
    primary = primary_for(passing, {**silent})
    world = World()
    world.set(patience=0.0, reply_timeout=60.0)
    times: list[float] = []

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for hello in "abcde":
            await world.hold(domain, origin=origin(2, hello))
        for host in (3, 4, 5):
            await world.hold(domain, origin=origin(host))
        now = asyncio.get_running_loop().time
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            began = now()
            while not is_idle(dispatcher):
                times[len(primary.taken) :] = [now() - began]
                await asyncio.sleep(1)

    play(world, primary, scene, run_swiftly, client_address=passing)
    assert sorted(numbers(primary)) == [6, 7, 8]
    assert times[2] < 30.0
    assert still_held(world) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("passing", PASSINGS)
def test_two_hundred_silent_clients_in_front_keep_nobody_waiting_for_long(
    passing: ClientPassing,
) -> None:
    primary = primary_for(passing, silent_for(passing, "192.0.2."))
    good = [origin(n) for n in range(1, 6)]
    found = watched(primary, passing, [stranger(n) for n in range(1, 201)] + good, wanted=5)
    assert sorted(numbers(primary)) == list(range(201, 206))
    assert found.times[-1] < 160.0
    assert primary.most_open <= 20 + 1  # and the look for the greeting, in our own name
    assert still_held(found.world) == list(range(1, 201))


@pytest.mark.parametrize("passing", PASSINGS)
def test_one_address_gets_no_more_time_by_other_names_at_ehlo(passing: ClientPassing) -> None:
    primary = primary_for(passing, silent_for(passing, "192.0.2."))
    mail = [MessageOrigin("192.0.2.1", 1, f"name{n}.example") for n in range(200)]
    found = watched(primary, passing, [*mail, *(origin(n) for n in range(1, 6))], wanted=5)
    assert sorted(numbers(primary)) == list(range(201, 206))
    assert found.times[-1] < 15.0


def test_a_network_of_ipv6_is_one_client_for_its_silence() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, silent_for(passing, "2001:db8::"))
    mail = [MessageOrigin(f"2001:db8::{n:x}", 1, f"name{n}.example") for n in range(1, 201)]
    found = watched(primary, passing, [*mail, *(origin(n) for n in range(1, 6))], wanted=5)
    assert sorted(numbers(primary)) == list(range(201, 206))
    assert found.times[-1] < 15.0


def test_much_mail_of_one_silent_client_is_passed() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, silent_for(passing, "192.0.2."))
    found = watched(primary, passing, [stranger(1)] * 600 + [origin(1)], wanted=1)
    assert numbers(primary) == [601]
    assert found.times[-1] < 15.0


def test_mail_that_comes_while_silent_clients_are_tried_again_goes_at_once() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, silent_for(passing, "192.0.2."))
    later = {70: [origin(1)], 150: [origin(2)]}
    mail = [stranger(n) for n in range(1, 31)]
    found = watched(primary, passing, mail, patience=3600.0, later=later, wanted=2)
    assert numbers(primary) == [31, 32]
    assert found.times[0] < 85.0
    assert found.times[1] < 165.0


def test_silent_clients_are_tried_again_behind_the_others_and_may_take_longer() -> None:
    """The answer comes after 20 seconds, which is too late for most at first."""
    passing = ClientPassing.XCLIENT
    primary = primary_for(passing)
    primary.seconds = {"XCLI": 20.0}
    found = watched(
        primary,
        passing,
        [origin(n) for n in range(1, 61)],
        patience=3600.0,
        seconds=400.0,
        wanted=60,
    )
    assert sorted(numbers(primary)) == list(range(1, 61))
    assert found.times[-1] < 400.0


def test_few_connections_are_given_to_others_too() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, silent_for(passing, "192.0.2."))
    mail = [stranger(n) for n in range(1, 6)] + [origin(1)]
    found = watched(primary, passing, mail, connections=1, wanted=1)
    assert numbers(primary) == [6]
    assert found.times[-1] < 60.0
    assert primary.most_open == 1


XCLIENT_OF_STRANGERS = "XCLIENT NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL] ADDR=192.0.2."


REFUSALS: list[tuple[ClientPassing, str, str]] = [
    (ClientPassing.PROXY, "GREETING 192.0.2.", LISTED),
    (ClientPassing.PROXY, "GREETING 192.0.2.", "421 4.7.0 not now"),
    (ClientPassing.PROXY, "GREETING 192.0.2.", CLOSE),
    (ClientPassing.PROXY, "EHLO s", LISTED),
    (ClientPassing.XCLIENT, XCLIENT_OF_STRANGERS, LISTED),
    (ClientPassing.XCLIENT, XCLIENT_OF_STRANGERS, CLOSE),
]


@pytest.mark.parametrize(("passing", "moment", "refusal"), REFUSALS)
def test_two_hundred_refused_clients_in_front_keep_nobody_waiting_for_long(
    passing: ClientPassing, moment: str, refusal: str
) -> None:
    primary = primary_for(passing, {moment: refusal})
    good = [origin(n) for n in range(1, 6)]
    found = watched(primary, passing, [*STRANGERS, *good], wanted=5, seconds=600.0)
    assert sorted(numbers(primary)) == list(range(201, 206))
    assert found.times[-1] < 160.0  # 40, and the time of a busy machine
    assert found.world.pauses == []
    assert still_held(found.world) == list(range(1, 201))


def test_one_address_is_not_tried_by_all_its_names_before_the_mail_of_others() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"EHLO name": LISTED})
    mail = [MessageOrigin("192.0.2.1", 1, f"name{n}.example") for n in range(200)]
    watched(primary, passing, [*mail, *(origin(n) for n in range(1, 6))], wanted=5)
    assert sorted(numbers(primary)) == list(range(201, 206))
    hellos = [command for command in primary.commands if command.startswith("EHLO")]
    assert hellos[0] == "EHLO name0.example"
    assert sorted(hellos[1:6]) == [f"EHLO h{n}.example" for n in range(1, 6)]


def test_refused_clients_are_tried_again_in_the_next_attempts() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING 192.0.2.": [LISTED] * 30})
    found = watched(primary, passing, STRANGERS[:30], patience=3600.0, wanted=30)
    assert sorted(numbers(primary)) == list(range(1, 31))
    assert len(found.world.pauses) == 1


def drained_twice(policy: Policy) -> tuple[ScriptedPrimary, World, int]:
    """Drain a domain whose first 30 clients are refused, and again with good mail.

    Returns also how many connections the second drain had made before that of the good mail.
    """
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING 192.0.2.": LISTED})
    world, sizes_before = World(), list[int]()
    world.set(patience=0.0)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        domain = await world.host(primary.port, policy=policy, client_address=passing)
        for one in STRANGERS[:30]:
            await world.hold(domain, origin=one)
        for drain in (0, 1):
            world.step(100.0)
            sizes_before.append(len(primary.headers))
            await world.hold(domain, drain, origin=origin(1))
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "test")
                for _half_second in range(100):
                    await asyncio.sleep(0.5)
                assert is_idle(dispatcher)

    play(world, primary, scene, run_swiftly, client_address=passing)
    before = sizes_before[1]
    return primary, world, header_of(primary, "198.51.100.1", before) - before


def test_mail_of_refused_clients_comes_last_in_the_next_drain() -> None:
    """Not that of the first ten: nobody had looked yet whether the refusal was about them."""
    primary, world, connections = drained_twice(Policy())
    assert numbers(primary) == [31]
    assert connections == 11  # those, and our own
    assert counted_drains(world) == [0] * 10 + [1] * 20
    assert still_held(world) == list(range(1, 31))


def test_a_refused_client_never_counts_up_to_the_limit_of_drains() -> None:
    _, world, connections = drained_twice(Policy(after_drains=2))
    assert counted_drains(world) == [0] * 30
    assert still_held(world) == list(range(1, 31))
    assert connections == 31


@pytest.mark.parametrize(
    ("passing", "moment", "reply"),
    [
        (ClientPassing.PROXY, "MAIL", "421 4.7.0 not from you"),
        (ClientPassing.PROXY, "RCPT", "421 4.7.0 not from you"),
        (ClientPassing.XCLIENT, "RCPT", CLOSE),
        (ClientPassing.XCLIENT, "RCPT", "451 4.3.0 later"),
    ],
)
def test_two_hundred_clients_deferred_at_mail_or_rcpt_in_front_keep_nobody_waiting_long(
    passing: ClientPassing, moment: str, reply: str
) -> None:
    primary = listing(passing, moment, reply)
    found = watched(primary, passing, [*STRANGERS, *GOOD], wanted=5, seconds=600.0)
    assert sorted(numbers(primary)) == list(range(201, 206))
    assert found.times[-1] < 160.0  # 40, and the time of a busy machine
    assert found.world.pauses == []
    assert still_held(found.world) == list(range(1, 201))
    assert counted_drains(found.world) == [0] * 200


def test_a_single_client_whose_connection_is_cut_at_rcpt_is_tried_again_at_once() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"RCPT": ["421 4.3.2 a moment"]})
    world = drained(primary, passing, [origin(1)])
    assert numbers(primary) == [1]
    assert still_held(world) == []
    assert world.pauses == []
