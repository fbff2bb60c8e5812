"""Each address is tried in turn, and again in a simpler manner where it was not borne."""

import asyncio

import pytest

from restante.delivery.pipelining_backoff import PipeliningBackoff
from restante.telemetry.events import DeliveryAttempt
from restante.tenancy.model import TlsUse
from tests.delivery.conftest import Authority
from tests.delivery.drained import drained, numbers
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.test_encryption import STARTTLS, held, tried_once
from tests.delivery.world import World, is_idle

PLAIN_OFFER = ["250-p.example\r\n250 STARTTLS"]  # the reply to EHLO before TLS


def test_connections_are_renewed_after_so_many_messages() -> None:
    primary = ScriptedPrimary()
    world = World()
    world.set(messages_per_connection=10)
    drained(100, primary, world, connections=1)
    assert primary.connections == 10
    assert numbers(primary) == list(range(1, 101))


def test_every_address_of_the_host_is_tried() -> None:
    primary = ScriptedPrimary()
    world = World()
    world.names.table["p.internal"] = ["127.0.0.99", "127.0.0.1"]  # nothing listens on the first
    drained(20, primary, world, host="p.internal", connections=2)
    assert len(primary.taken) == 20
    kinds = [line["end"] for line in world.log.of(DeliveryAttempt)]
    assert kinds == [
        "unreachable",
        "quit",
        "quit",
    ]  # the second connection began with the address that answered


@pytest.mark.parametrize("behind", [GARBAGE, "not TLS at all", CLOSE])
def test_where_the_handshake_fails_opportunistic_goes_on_in_plain_over_a_new_connection(
    behind: str,
) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script={"HANDSHAKE": behind})
    world = tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3
    assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["tls-failed", "quit"]
    assert primary.connections == 2


def test_a_server_that_hangs_up_at_starttls_gets_plain_text_over_a_new_connection() -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script={"STARTTLS": CLOSE})
    world = tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3
    assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["tls-failed", "quit"]


def test_a_server_that_says_nothing_to_starttls_gets_plain_text() -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script={"STARTTLS": SILENCE})
    world = World()
    world.set(reply_timeout=0.2)
    tried_once(primary, world, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3
    assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["tls-failed", "quit"]


@pytest.mark.parametrize("script", [{"STARTTLS": SILENCE}, {"HANDSHAKE": SILENCE}])
def test_silence_at_tls_costs_half_a_minute_and_is_remembered(script: Script) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script=script)
    world = World()
    world.set(patience=0)
    world.names.table["p.internal"] = ["127.0.0.1"]
    seconds = list[float]()

    pause = asyncio.sleep  # on the swift clock

    async def main() -> None:
        async with primary:
            domain = await world.host(
                primary.port, host="p.internal", tls=TlsUse.OPPORTUNISTIC, connections=1
            )
            async with world.dispatcher() as dispatcher:
                for _ in range(2):
                    await world.hold(domain, 3)
                    began = asyncio.get_running_loop().time()
                    await dispatcher.start(domain, "test")
                    while not is_idle(dispatcher):
                        await pause(0.1)
                    seconds.append(asyncio.get_running_loop().time() - began)

    run_swiftly(main())
    assert len(primary.taken) == 6
    assert seconds[0] == pytest.approx(30, abs=2)
    assert seconds[1] < 2
    ends = [line["end"] for line in world.log.of(DeliveryAttempt)]
    assert ends == ["tls-failed", "quit", "quit"]


@pytest.mark.parametrize("use", [TlsUse.REQUIRED, TlsUse.VERIFY])
def test_remembered_silence_is_no_way_around_tls(
    use: TlsUse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PipeliningBackoff, "uses_tls", lambda *_: False)
    world = World()
    world.set(reply_timeout=0.2)
    primary = ScriptedPrimary(offer=STARTTLS, script={"STARTTLS": SILENCE})
    assert held(tried_once(primary, world, tls=use, connections=1)) == 3
    assert not primary.taken


def test_a_server_that_hangs_up_behind_the_handshake_gets_plain_text(authority: Authority) -> None:
    primary = ScriptedPrimary(
        offer=STARTTLS, script={"EHLO": [*PLAIN_OFFER, CLOSE]}, context=authority.context
    )
    world = tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3
    assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["tls-failed", "quit"]


def test_a_server_that_demands_our_certificate_gets_plain_text(authority: Authority) -> None:
    """With TLS 1.3 it says so behind the handshake, where we await its reply to EHLO."""
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.demanding)
    world = tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3
    assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["tls-failed", "quit"]


@pytest.mark.parametrize("use", [TlsUse.REQUIRED, TlsUse.VERIFY])
def test_a_refusal_behind_the_handshake_is_no_way_around_tls(
    authority: Authority, use: TlsUse
) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.demanding)
    assert held(tried_once(primary, tls=use, ca_file=authority.ca_file)) == 3
    assert primary.commands == ["EHLO mx2.example.net", "STARTTLS"]


@pytest.mark.parametrize("reply", ["421 4.3.2 too busy", "450 4.7.1 later", "hello"])
def test_a_server_that_answers_under_tls_gets_no_plain_text(
    authority: Authority, reply: str
) -> None:
    primary = ScriptedPrimary(
        offer=STARTTLS, script={"EHLO": [*PLAIN_OFFER, reply]}, context=authority.context
    )
    assert held(tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)) == 3
    assert primary.connections == 1


def test_a_server_that_hangs_up_at_ehlo_is_told_helo() -> None:
    primary = ScriptedPrimary(script={"EHLO": CLOSE, "HELO": "250 p.example"})
    tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3
    assert primary.commands[:3] == [
        "EHLO mx2.example.net",
        "HELO mx2.example.net",
        "MAIL FROM:<a@a.example>",
    ]
    assert primary.connections == 2


def test_a_server_that_hangs_up_at_helo_too_is_left_alone() -> None:
    primary = ScriptedPrimary(script={"EHLO": CLOSE, "HELO": CLOSE})
    assert held(tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)) == 3
    assert primary.commands == ["EHLO mx2.example.net", "HELO mx2.example.net"]


@pytest.mark.parametrize("reply", ["421 4.3.2 too busy", "450 4.7.1 later"])
def test_a_server_that_is_too_busy_at_ehlo_is_not_told_helo(reply: str) -> None:
    """RFC 5321 section 3.8: 421 ends the session. HELO is for those that do not know EHLO."""
    primary = ScriptedPrimary(script={"EHLO": reply, "HELO": "250 p.example"})
    assert held(tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)) == 3
    assert "HELO mx2.example.net" not in primary.commands
    assert primary.connections == 1


@pytest.mark.parametrize("use", [TlsUse.REQUIRED, TlsUse.VERIFY])
def test_helo_is_no_way_around_tls(use: TlsUse) -> None:
    primary = ScriptedPrimary(script={"EHLO": CLOSE, "HELO": "250 p.example"})
    assert held(tried_once(primary, tls=use, connections=1)) == 3
    assert primary.commands == ["EHLO mx2.example.net"]


@pytest.mark.parametrize("reply", ["421 4.3.0 no TLS now", "hello"])
def test_a_server_that_answers_starttls_oddly_gets_plain_text(reply: str) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script={"STARTTLS": reply})
    tried_once(primary, tls=TlsUse.OPPORTUNISTIC, connections=1)
    assert len(primary.taken) == 3


@pytest.mark.parametrize("use", [TlsUse.REQUIRED, TlsUse.VERIFY])
def test_a_server_that_hangs_up_at_starttls_gets_nothing_where_tls_is_a_must(use: TlsUse) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script={"STARTTLS": CLOSE})
    assert held(tried_once(primary, tls=use)) == 3


@pytest.mark.parametrize("use", [TlsUse.REQUIRED, TlsUse.VERIFY])
def test_where_the_handshake_fails_required_does_not_go_on(use: TlsUse) -> None:
    primary = ScriptedPrimary(offer=STARTTLS)
    world = tried_once(primary, tls=use)
    assert held(world) == 3
    assert primary.connections == 1
