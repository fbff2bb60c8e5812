"""TLS and AUTH to a destination: the connections that each setting allows and forbids."""

import asyncio
import ssl
from typing import Any

import pytest
import trustme

from restante.network.tls import TlsLayer
from restante.network.tls_context import unverified_client_context
from restante.queue.recipient_status import RecipientStatus
from restante.telemetry.events import DeliveryAttempt
from restante.tenancy.model import TlsUse
from tests.delivery.conftest import Authority
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World

STARTTLS = ("PIPELINING", "STARTTLS", "AUTH PLAIN")


def tried_once(primary: ScriptedPrimary, world: World | None = None, **destination: Any) -> World:
    """Drain three messages to p.internal, with one attempt."""
    world = world or World()
    world.set(patience=0)
    world.names.table["p.internal"] = ["127.0.0.1"]

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, host="p.internal", **destination)
            await world.hold(domain, 3)
            await world.drain(domain)

    asyncio.run(main())
    return world


def versions(world: World) -> list[str]:
    return [line["tls_version"] for line in world.log.of(DeliveryAttempt)]


def held(world: World) -> int:
    return len(asyncio.run(world.waiting(RecipientStatus.HELD)))


@pytest.mark.parametrize("use", [TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED])
def test_any_certificate_will_do_unless_it_is_to_be_verified(
    authority: Authority, use: TlsUse
) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    world = tried_once(primary, tls=use, connections=1)
    assert len(primary.taken) == 3
    assert versions(world) == ["TLSv1.3"]


def test_a_verified_certificate_must_be_of_the_authority_and_the_name(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    world = tried_once(primary, tls=TlsUse.VERIFY, ca_file=authority.ca_file, connections=1)
    assert len(primary.taken) == 3
    assert versions(world) == ["TLSv1.3"]


def test_another_name_is_not_believed(authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other = trustme.CA()
    other.issue_cert("p.internal").configure_cert(context)
    for wrong, primary in (
        ("authority", ScriptedPrimary(offer=STARTTLS, context=context)),
        ("name", ScriptedPrimary(offer=STARTTLS, context=authority.context)),
    ):
        host = "p.internal" if wrong == "authority" else "127.0.0.1"
        world = World()
        world.set(patience=0)
        world = drained_to(host, primary, world, tls=TlsUse.VERIFY, ca_file=authority.ca_file)
        assert held(world) == 3
        assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["tls-failed"]
        assert not [command for command in primary.commands if command.startswith("MAIL")]


def drained_to(host: str, primary: ScriptedPrimary, world: World, **destination: Any) -> World:
    async def main() -> None:
        world.names.table["p.internal"] = ["127.0.0.1"]
        async with primary:
            domain = await world.host(primary.port, host=host, **destination)
            await world.hold(domain, 3)
            await world.drain(domain)

    asyncio.run(main())
    return world


def key_of(context: ssl.SSLContext) -> str:
    """Shake hands in memory to see the key's pin."""
    server = TlsLayer(context, is_server=True)
    client = TlsLayer(unverified_client_context(), is_server=False, peer_name="p.internal")
    while not client.is_established:
        server.receive(client.take_outgoing())
        client.receive(server.take_outgoing())
    return client.peer_key_sha256()


def test_a_pinned_key_needs_no_authority(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    pins = ("00" * 32, key_of(authority.context).upper())
    tried_once(primary, tls=TlsUse.VERIFY, key_pins=pins)
    assert len(primary.taken) == 3


def test_another_key_than_the_pinned_one_gets_nothing(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    world = tried_once(primary, tls=TlsUse.VERIFY, key_pins=("00" * 32,), ca_file=authority.ca_file)
    assert held(world) == 3
    assert "not pinned" in world.end["reason"]
    assert primary.commands == ["EHLO mx2.example.net", "STARTTLS"]


def test_bytes_injected_before_the_handshake_are_no_reason_for_plain_text() -> None:
    primary = ScriptedPrimary(offer=STARTTLS, script={"STARTTLS": "220 go\r\n250 injected"})
    world = tried_once(primary, tls=TlsUse.OPPORTUNISTIC)
    assert held(world) == 3
    assert [line["end"] for line in world.log.of(DeliveryAttempt)] == ["broken"]


def test_a_login_is_used_and_only_under_tls(authority: Authority) -> None:
    world = World()
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    tried_once(primary, world, tls=TlsUse.REQUIRED, login=world.login("mx2", "secret"))
    assert len(primary.taken) == 3
    assert "AUTH PLAIN AG14MgBzZWNyZXQ=" in primary.commands

    for refusing in (ScriptedPrimary(offer=("AUTH PLAIN",)), ScriptedPrimary(offer=STARTTLS)):
        tried_once(refusing, world, tls=TlsUse.OPPORTUNISTIC, login=world.login("mx2", "secret"))
        assert held(world) == 3
        assert not [
            command for command in refusing.commands if command.startswith(("AUTH", "MAIL"))
        ]
        asyncio.run(forget(world))


async def forget(world: World) -> None:
    world.store.state.mail.clear()


def test_a_password_sealed_under_another_key_is_a_reason_not_to_deliver() -> None:
    world = World()
    primary = ScriptedPrimary(offer=STARTTLS)
    tried_once(primary, world, tls=TlsUse.REQUIRED, login=World().login("mx2", "secret"))
    assert held(world) == 3
    assert "cannot be opened" in world.end["reason"]
    assert primary.connections == 0


def test_a_ca_file_that_is_not_there_is_a_reason_not_to_deliver() -> None:
    world = tried_once(ScriptedPrimary(), tls=TlsUse.VERIFY, ca_file="/nonexistent/ca.pem")
    assert held(world) == 3
    assert "/nonexistent/ca.pem" in world.end["reason"]
