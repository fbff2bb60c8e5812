"""A look at a destination, on the wire."""

import asyncio

import pytest

from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.destination_probe import probe
from restante.tenancy.model import Destination
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World


async def probed(world: World, script: Script) -> tuple[str, list[str]]:
    """The result of a probe of a primary with this script, and the primary's view of it."""
    async with ScriptedPrimary(script) as primary, world.dispatcher() as dispatcher:
        domain = await world.host(primary.port)
        return await dispatcher.probe(domain.destination), primary.commands


def test_a_probe_says_who_it_is_and_goes() -> None:
    said, heard = asyncio.run(probed(World(), {}))
    assert said == ""
    assert heard == ["EHLO mx2.example.net", "QUIT"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"GREETING": "421 not now"}, "421 not now"),
        ({"GREETING": "554 go away"}, "554 go away"),
        ({"GREETING": CLOSE}, "closed"),
        ({"GREETING": GARBAGE}, ""),
        ({"EHLO": "451 later"}, "451 later"),
        ({"EHLO": CLOSE, "HELO": CLOSE}, "closed"),
        ({"EHLO": "250 mx2.example.net"}, "it is this server"),
    ],
)
def test_a_host_that_takes_no_mail_is_away(script: Script, words: str) -> None:
    said, _ = asyncio.run(probed(World(), script))
    assert said
    assert words in said


@pytest.mark.parametrize("moment", ["GREETING", "EHLO"])
def test_silence_is_waited_for_half_a_minute_only(moment: str) -> None:
    async def main() -> tuple[str, float]:
        began = asyncio.get_running_loop().time()
        said, _ = await probed(World(), {moment: SILENCE})
        return said, asyncio.get_running_loop().time() - began

    said, seconds = run_swiftly(main())
    assert "timed out" in said
    assert 29 < seconds < 60


def test_where_nobody_listens_nobody_is_there() -> None:
    async def main() -> str:
        world = World(settings=DeliverySettings())
        async with world.dispatcher() as dispatcher:
            async with ScriptedPrimary() as primary:
                port = primary.port
            return await dispatcher.probe((await world.host(port)).destination)

    assert "connect" in asyncio.run(main()).lower()


def test_our_own_listener_is_nobody_to_hand_mail_to() -> None:
    async def main() -> str:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            world.own_addresses.append(("127.0.0.1", primary.port))
            return await dispatcher.probe((await world.host(primary.port)).destination)

    assert "this server itself" in asyncio.run(main())


def test_a_host_that_closes_at_ehlo_and_takes_helo_is_up() -> None:
    said, _ = asyncio.run(probed(World(), {"EHLO": CLOSE, "HELO": "250 p.example"}))
    assert said == ""


def test_a_probe_stays_out_of_our_networks_where_an_account_chose_the_host() -> None:
    async def main() -> str:
        world = World()
        world.names.table["p.example"] = ["127.0.0.1"]
        chosen = Destination("p.example", set_by="alpha")
        return await probe(chosen, world.new_context())

    assert "no public address" in asyncio.run(main())
