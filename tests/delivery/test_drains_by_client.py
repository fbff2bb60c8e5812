"""Drains to a destination that is told the client: each message in the name of its own."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.mail.address import Mailbox
from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import RecipientStatus
from restante.smtp.proxy_header import LOCAL_HEADER
from restante.store.queue_store import QueueFilter
from restante.telemetry.events import DeliveryAttempt, DrainFinished
from restante.tenancy.model import ClientPassing, HostedDomain
from restante.tenancy.policy import Policy, RecipientPolicy
from tests.delivery.drained import numbers, play, still_held
from tests.delivery.scripted_primary import CLOSE, SILENCE, TARPIT, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World, is_idle

WITH_XCLIENT = ("PIPELINING", "XCLIENT NAME ADDR PORT HELO REVERSE_NAME")
PASSINGS = [ClientPassing.PROXY, ClientPassing.XCLIENT]


def origin(host: int, hello: str = "") -> MessageOrigin:
    return MessageOrigin(f"198.51.100.{host}", 40000 + host, hello or f"h{host}.example")


def primary_for(passing: ClientPassing, script: Script | None = None) -> ScriptedPrimary:
    offer = WITH_XCLIENT if passing is ClientPassing.XCLIENT else ("PIPELINING",)
    speaks_proxy = passing is ClientPassing.PROXY
    return ScriptedPrimary(script or {}, offer=offer, speaks_proxy=speaks_proxy)


def drained(
    primary: ScriptedPrimary,
    passing: ClientPassing,
    origins: Sequence[MessageOrigin | None],
    *,
    world: World | None = None,
    connections: int = 20,
    patience: float = 0.0,
) -> World:
    """Hold a message of each origin, in order, and drain them."""
    world = world or World()
    world.set(patience=patience)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for one in origins:
            await world.hold(domain, origin=one)
        await world.drain(domain)

    play(world, primary, scene, run_swiftly, client_address=passing, connections=connections)
    return world


def names(primary: ScriptedPrimary) -> dict[int, str]:
    """The client that each message came in the name of."""
    return {int(taken.content): taken.client for taken in primary.taken}


@pytest.mark.parametrize("passing", PASSINGS)
def test_each_message_goes_in_the_name_of_its_client(passing: ClientPassing) -> None:
    primary = primary_for(passing)
    clients = [origin(1), origin(2), None, origin(1), origin(1, "other.example"), origin(2), None]
    drained(primary, passing, clients)
    assert names(primary) == {
        number: f"{one.address} {one.hello}" if one is not None else ""
        for number, one in enumerate(clients, 1)
    }


@pytest.mark.parametrize("passing", PASSINGS)
def test_messages_of_one_client_share_its_connection(passing: ClientPassing) -> None:
    primary = primary_for(passing)
    drained(primary, passing, [origin(1), origin(2)] * 10, connections=1)
    assert primary.connections == 2
    assert sorted(numbers(primary)) == list(range(1, 21))


def test_an_imported_message_and_one_of_a_private_address_go_in_our_own_name() -> None:
    primary = primary_for(ClientPassing.PROXY)
    local = MessageOrigin("10.0.0.1", 1, "lan.example")
    drained(primary, ClientPassing.PROXY, [origin(1)._replace(is_imported=True), local])
    assert set(names(primary).values()) == {""}
    assert set(primary.headers) == {LOCAL_HEADER}
    assert "EHLO mx2.example.net" in primary.commands


def test_the_header_has_address_and_port_of_the_client() -> None:
    primary = primary_for(ClientPassing.PROXY)
    drained(primary, ClientPassing.PROXY, [origin(1)])
    [header] = primary.headers
    here = ipaddress.ip_address("127.0.0.1").packed
    assert header[16:24] == ipaddress.ip_address("198.51.100.1").packed + here
    assert header[24:] == (40001).to_bytes(2, "big") + primary.port.to_bytes(2, "big")


def test_several_clients_are_served_at_once() -> None:
    primary = primary_for(ClientPassing.XCLIENT)
    drained(primary, ClientPassing.XCLIENT, [origin(n) for n in range(1, 101)])
    assert len(primary.taken) == 100
    assert primary.most_open >= 4
    assert Counter(taken.client for taken in primary.taken).most_common(1)[0][1] == 1


def test_never_more_connections_than_the_domain_allows() -> None:
    primary = primary_for(ClientPassing.XCLIENT)
    drained(primary, ClientPassing.XCLIENT, [origin(n % 50 + 1) for n in range(200)], connections=3)
    assert len(primary.taken) == 200
    assert primary.most_open <= 3


def test_xclient_that_is_refused_keeps_its_mail_and_lets_others_go_on() -> None:
    unknown = "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]"
    script: Script = {f"XCLIENT {unknown} ADDR=IPV6:": "501 5.5.4 Bad ADDR"}
    primary = primary_for(ClientPassing.XCLIENT, script)
    six = MessageOrigin("2001:db8::7", 1, "six.example")
    world = drained(primary, ClientPassing.XCLIENT, [six, origin(1), six, origin(2)])
    assert sorted(numbers(primary)) == [2, 4]
    assert still_held(world) == [1, 3]
    words = asyncio.run(world.words(1))
    assert words == [("b@b.example", RecipientStatus.HELD, "XCLIENT: 501 5.5.4 Bad ADDR")]
    assert sum(command.startswith("XCLIENT") for command in primary.commands) == 3
    assert not any("six" in command for command in primary.commands if "MAIL" in command)


def test_without_the_offer_everything_stays_held() -> None:
    primary = ScriptedPrimary()
    world = drained(primary, ClientPassing.XCLIENT, [origin(1), origin(2)])
    assert primary.taken == []
    assert still_held(world) == [1, 2]
    assert "does not offer XCLIENT" in world.end["reason"]


def test_a_second_client_that_the_server_cuts_off_before_its_greeting_is_client_deferred() -> None:
    """So does a port of Postfix without IPv6, where the header has an address of IPv6."""
    primary = primary_for(ClientPassing.PROXY, {"GREETING 198.51.100.2": CLOSE})
    world = drained(primary, ClientPassing.PROXY, [origin(2), origin(1), origin(2), origin(3)])
    assert sorted(numbers(primary)) == [2, 4]
    assert still_held(world) == [1, 3]


def test_a_greeting_that_refuses_a_client_is_about_that_client() -> None:
    refusal = "554 5.7.1 198.51.100.2 is listed"
    primary = primary_for(ClientPassing.PROXY, {"GREETING 198.51.100.2": refusal})
    world = drained(primary, ClientPassing.PROXY, [origin(2), origin(1), origin(3)])
    assert sorted(numbers(primary)) == [2, 3]
    [(_, status, reply)] = asyncio.run(world.words(1))
    assert status is RecipientStatus.HELD
    assert refusal in reply


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


def test_what_an_attempt_left_goes_first_in_the_next_and_nothing_twice() -> None:
    """The order of the messages is not that of their numbers."""
    primary = primary_for(ClientPassing.XCLIENT, {"CONTENT": ["250 OK"] * 3 + ["421 later"]})
    world = World()
    world.set(patience=3600.0)
    clients = [origin(n % 7 + 1) for n in range(40)]
    drained(primary, ClientPassing.XCLIENT, clients, world=world, connections=2, patience=3600.0)
    assert sorted(numbers(primary)) == list(range(1, 41))
    assert world.end["delivered"] == 40


@pytest.mark.parametrize("passing", PASSINGS)
def test_a_probe_a_greeting_and_a_callout_speak_proxy_in_our_own_name(
    passing: ClientPassing,
) -> None:
    primary = primary_for(passing)

    async def main() -> None:
        world = World()
        async with primary, world.dispatcher() as dispatcher:
            policy = Policy(recipients=RecipientPolicy.LEARNED, asks_destination=True)
            domain = await world.host(primary.port, client_address=passing, policy=policy)
            assert await dispatcher.probe(domain.destination) == ""
            assert await dispatcher.greet(domain.destination) == ""
            assert await dispatcher.ask_destination(domain, Mailbox("b", domain.name)) is True

    run_swiftly(main())
    assert primary.headers == [LOCAL_HEADER] * (3 if passing is ClientPassing.PROXY else 0)
    assert not any(command.startswith("XCLIENT") for command in primary.commands)
    assert all("mx2.example.net" in one for one in primary.commands if one.startswith("EHLO"))


def test_a_large_group_is_probed_for_chunking_and_small_ones_are_not() -> None:
    def probes(count: int) -> int:
        offer = ("PIPELINING", "CHUNKING", "XCLIENT NAME ADDR")
        primary = ScriptedPrimary(offer=offer)
        drained(primary, ClientPassing.XCLIENT, [origin(1)] * count, connections=1)
        assert len(primary.taken) == count
        return sum(command.startswith("BDAT 12 LAST") for command in primary.commands)

    assert probes(10) == 0
    assert probes(100) == 1


def test_changing_the_record_in_mid_drain_changes_the_way() -> None:
    primary = primary_for(ClientPassing.XCLIENT, {"CONTENT": ["250 OK", "451 later"]})

    async def main() -> None:
        world = World()
        world.set(patience=3600.0)
        async with primary:
            domain = await world.host(
                primary.port, client_address=ClientPassing.XCLIENT, connections=1
            )
            for host in range(1, 5):
                await world.hold(domain, origin=origin(host))

            async def on_pause() -> None:
                await world.host(primary.port, connections=1)

            world.on_pause = on_pause
            await world.drain(domain)

    run_swiftly(main())
    assert sorted(numbers(primary)) == [1, 2, 3, 4]
    assert [taken.client for taken in primary.taken].count("") >= 1


TROUBLE = [CLOSE, "421 bye", "451 4.7.1 later", "550 5.7.1 no", "503 what?", "250 OK\r\n250 OK"]
MOMENTS = ["GREETING", "EHLO", "XCLIENT", "MAIL", "RCPT", "DATA", "CONTENT", "RSET"]
FINE = {
    "GREETING": "220 p",
    "EHLO": "250-p\r\n250-PIPELINING\r\n250 XCLIENT ADDR",
    "XCLIENT": "220 p",
    "DATA": "354 go",
}


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script: Script = {}
    for moment in MOMENTS:
        replies = st.sampled_from([FINE.get(moment, "250 OK")] * 12 + TROUBLE)
        script[moment] = draw(st.lists(replies, max_size=12))
    return script


@settings(max_examples=25, deadline=None)
@given(
    scripts(),
    st.sampled_from(PASSINGS),
    st.lists(st.integers(0, 4), min_size=1, max_size=20),
    st.integers(1, 3),
)
def test_whatever_the_destination_does_nothing_is_lost_and_no_client_gets_anothers_name(
    script: Script, passing: ClientPassing, hosts: list[int], connections: int
) -> None:
    primary = primary_for(passing, script)
    clients = [origin(host) if host else None for host in hosts]
    world = drained(primary, passing, clients, connections=connections, patience=100.0)
    left = set(asyncio.run(world.waiting()))
    whole = [taken for taken in primary.taken if taken.content]  # not an end mark alone
    assert set(range(1, len(hosts) + 1)) - left <= {int(taken.content) for taken in whole}
    for taken in whole:
        one = clients[int(taken.content) - 1]
        assert taken.client.partition(" ")[0] == (one.address if one is not None else "")
    assert len(world.log.of(DeliveryAttempt)) > 0


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


@dataclass
class Drained:
    """The results of a drain. Times are in seconds from its beginning."""

    world: World
    primary: ScriptedPrimary
    times: list[float]  # of each message taken
    end: float


def watched(
    primary: ScriptedPrimary,
    passing: ClientPassing,
    mail: Sequence[MessageOrigin],
    *,
    seconds: float = 180.0,
    wanted: int = 1000,
    patience: float = 0.0,
    later: Mapping[int, Sequence[MessageOrigin]] = MappingProxyType({}),
    **destination: Any,
) -> Drained:
    """Drain for so long, or until so many messages were taken, on a clock that jumps.

    `later` is mail that comes at a second.
    """
    world, times, ends = World(), list[float](), [0.0]
    world.set(patience=patience, reply_timeout=60.0)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        now, began = asyncio.get_running_loop().time, 0.0
        for one in mail:
            await world.hold(domain, origin=one)
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            began = now()
            coming = dict(later)
            while not is_idle(dispatcher) and ends[0] < seconds and len(primary.taken) < wanted:
                times.extend([ends[0]] * (len(primary.taken) - len(times)))
                for second in [one for one in coming if one <= ends[0]]:
                    for each in coming.pop(second):
                        await world.hold(domain, origin=each)
                await asyncio.sleep(1.0)
                ends[0] = now() - began
            times.extend([ends[0]] * (len(primary.taken) - len(times)))

    play(world, primary, scene, run_swiftly, client_address=passing, **destination)
    return Drained(world, primary, times, ends[0])


def silent_for(passing: ClientPassing, network: str) -> Script:
    """Return a script of a server that leaves these clients without an answer."""
    unknown = "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]"
    moment = "GREETING" if passing is ClientPassing.PROXY else f"XCLIENT {unknown}"
    address = network if passing is ClientPassing.PROXY else f"ADDR={network}"
    return {f"{moment} {address}": TARPIT}


def stranger(number: int) -> MessageOrigin:
    return MessageOrigin(f"192.0.2.{number}", 1, f"s{number}.example")


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


def test_a_destination_that_is_silent_to_us_too_is_left_alone() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING": SILENCE})
    found = watched(primary, passing, [stranger(n) for n in range(1, 201)])
    assert (
        "nor do we: timed out waiting for the greeting"
        in found.world.log.of(DrainFinished)[-1]["reason"]
    )
    assert primary.connections <= 40


def test_few_connections_are_given_to_others_too() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, silent_for(passing, "192.0.2."))
    mail = [stranger(n) for n in range(1, 6)] + [origin(1)]
    found = watched(primary, passing, mail, connections=1, wanted=1)
    assert numbers(primary) == [6]
    assert found.times[-1] < 60.0
    assert primary.most_open == 1


XCLIENT_OF_STRANGERS = "XCLIENT NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL] ADDR=192.0.2."
LISTED = "554 5.7.1 listed"
REFUSALS: list[tuple[ClientPassing, str, str]] = [
    (ClientPassing.PROXY, "GREETING 192.0.2.", LISTED),
    (ClientPassing.PROXY, "GREETING 192.0.2.", "421 4.7.0 not now"),
    (ClientPassing.PROXY, "GREETING 192.0.2.", CLOSE),
    (ClientPassing.PROXY, "EHLO s", LISTED),
    (ClientPassing.XCLIENT, XCLIENT_OF_STRANGERS, LISTED),
    (ClientPassing.XCLIENT, XCLIENT_OF_STRANGERS, CLOSE),
]
STRANGERS = [stranger(n) for n in range(1, 201)]


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


def test_refused_clients_in_a_row_are_tried_five_a_second() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING 192.0.2.": LISTED})
    watched(primary, passing, STRANGERS[:60], seconds=300.0)
    assert primary.connections == 61  # with the look in our own name, after ten
    assert primary.made_at[-1] - primary.made_at[0] > 8.0  # fifty take ten seconds
    assert primary.headers.count(LOCAL_HEADER) == 1


@pytest.mark.parametrize(
    ("passing", "moment", "refusal"),
    [
        (ClientPassing.PROXY, "GREETING", LISTED),
        (ClientPassing.PROXY, "GREETING", CLOSE),
        (ClientPassing.PROXY, "EHLO", LISTED),
    ],
)
def test_a_destination_that_refuses_us_like_every_client_is_left_alone_after_ten(
    passing: ClientPassing, moment: str, refusal: str
) -> None:
    primary = primary_for(passing, {moment: refusal})
    found = watched(primary, passing, STRANGERS[:40], connections=1)
    assert primary.headers.count(LOCAL_HEADER) == primary.connections - 10 <= 3
    assert len(still_held(found.world)) == 40
    assert counted_drains(found.world) == [0] * 40
    assert "were refused, and so are we" in found.world.log.of(DrainFinished)[-1]["reason"]


def header_of(primary: ScriptedPrimary, address: str, start: int = 0) -> int:
    """Return the place of the first header with an address, among those from a place on."""
    packed = ipaddress.ip_address(address).packed
    headers = enumerate(primary.headers)
    return next(at for at, one in headers if at >= start and one[16:20] == packed)


def test_a_destination_that_refuses_every_client_and_not_us_has_a_pause_after_500() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING 203.0.": LISTED})
    mail = [
        MessageOrigin(f"203.0.{n // 250}.{n % 250 + 1}", 1, f"n{n}.example") for n in range(600)
    ]
    found = watched(primary, passing, [*mail, origin(1)], wanted=1, seconds=900.0, patience=900.0)
    assert numbers(primary) == [601]
    assert found.world.pauses[0] == 60.0
    tried = primary.headers[: header_of(primary, "198.51.100.1")]
    assert tried.count(LOCAL_HEADER) == 6  # after ten in an attempt, and after each hundred more
    assert len(set(tried)) == 601
    assert len(tried) == 606
    assert len(still_held(found.world)) == 600


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


def counted_drains(world: World) -> list[int]:
    listed = asyncio.run(world.store.queue.list_queue(QueueFilter()))
    return [one.policy_deferrals for one in sorted(listed, key=lambda one: one.number)]


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


def listing(
    passing: ClientPassing, moment: str, reply: str, network: str = "192.0.2."
) -> ScriptedPrimary:
    """Return a primary that says a reply to the clients of a network at one moment."""
    primary = primary_for(passing)
    none = "554 5.5.1 no valid recipients"
    behind = {"MAIL": {"RCPT": none, "DATA": none}, "RCPT": {"DATA": none}}.get(moment, {})
    primary.network, primary.network_script = network, {**behind, moment: reply}
    return primary


BLOCKED = "554 5.7.1 Service unavailable; Client host blocked using zen.example"
GOOD = [origin(n) for n in range(1, 6)]


def statuses(world: World) -> Counter[RecipientStatus]:
    listed = asyncio.run(world.store.queue.list_queue(QueueFilter()))
    found = [asyncio.run(world.words(one.number)) for one in listed]
    return Counter(status for words in found for _, status, _ in words)


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


def test_the_look_with_mail_is_in_our_own_name_and_sends_no_content() -> None:
    passing = ClientPassing.PROXY
    primary = listing(passing, "RCPT", BLOCKED)
    watched(primary, passing, STRANGERS[:40])
    assert primary.headers.count(LOCAL_HEADER) == 1
    assert primary.commands.count("MAIL FROM:<>") == 1
    at = primary.commands.index("MAIL FROM:<>")
    assert primary.commands[at + 1 : at + 3] == ["RCPT TO:<b@b.example>", "QUIT"]


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


@pytest.mark.parametrize("reply", ["421 4.3.2 going down", "451 4.3.0 disk"])
def test_a_destination_that_puts_our_mail_off_too_is_left_alone_after_ten(reply: str) -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"RCPT": reply, "DATA": "554 5.5.1 no valid recipients"})
    found = watched(primary, passing, STRANGERS[:60], connections=1)
    assert primary.headers.count(LOCAL_HEADER) == 1
    assert primary.connections <= 15
    assert "not taken, nor is ours" in found.world.log.of(DrainFinished)[-1]["reason"]
    assert len(still_held(found.world)) == 60


def test_a_single_client_whose_connection_is_cut_at_rcpt_is_tried_again_at_once() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"RCPT": ["421 4.3.2 a moment"]})
    world = drained(primary, passing, [origin(1)])
    assert numbers(primary) == [1]
    assert still_held(world) == []
    assert world.pauses == []
