"""Drains to a destination that is told the client: each message in the name of its own."""

import asyncio
import ipaddress
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.mail.address import Mailbox
from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import RecipientStatus
from restante.smtp.proxy_header import LOCAL_HEADER
from restante.telemetry.events import DeliveryAttempt
from restante.tenancy.model import ClientPassing
from restante.tenancy.policy import Policy, RecipientPolicy
from tests.delivery.by_client import (
    PASSINGS,
    drained,
    names,
    origin,
    primary_for,
)
from tests.delivery.drained import numbers, still_held
from tests.delivery.scripted_primary import CLOSE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World


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
