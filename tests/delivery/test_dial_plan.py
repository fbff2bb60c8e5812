"""The way to a destination by its record: endpoints, TLS, login, and how far to pipeline."""

import asyncio
import ipaddress
from dataclasses import replace
from typing import Any

import pytest

from restante.delivery.dial_plan import DialPlan, find_dial_plan
from restante.delivery.drain_experience import AttemptStart
from restante.delivery.link_plan import ConnectionEnd, EndKind, LinkPlan
from restante.delivery.route import Endpoint, NoRoute
from restante.smtp.client_auth import ClientLogin
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import WindowPace
from restante.tenancy.model import TlsUse
from tests.delivery.world import World

OFF, OPENING, ACROSS, AHEAD = Pipelining
ENDPOINT = Endpoint(ipaddress.ip_address("192.0.2.9"), 25)


def found(world: World, port: int = 25, **destination: Any) -> DialPlan:
    async def main() -> DialPlan:
        domain = await world.host(port, **{"host": "192.0.2.9", **destination})
        return await find_dial_plan(domain, world.new_context())

    return asyncio.run(main())


def test_each_address_of_the_name_is_an_endpoint_in_its_order() -> None:
    world = World()
    world.names.table["p.internal"] = ["2001:db8::9", "192.0.2.9"]
    plan = found(world, 2525, host="p.internal")
    assert [one.text for one in plan.endpoints] == ["[2001:db8::9]:2525", "192.0.2.9:2525"]
    assert (plan.destination.text, plan.remote) == ("p.internal:2525", "p.internal")


def test_an_address_on_record_is_not_looked_up() -> None:
    world = World()
    assert found(world).endpoints == (ENDPOINT,)
    assert world.names.asked == []


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        ({"host": "nowhere.example"}, "nowhere.example: no such name in DNS"),
        ({"tls": TlsUse.VERIFY, "ca_file": "/nonexistent/ca.pem"}, "/nonexistent/ca.pem"),
        ({"login": World().login("mx2", "secret")}, "cannot be opened"),
    ],
    ids=["no such name", "no CA file", "sealed under another key"],
)
def test_a_record_that_cannot_be_used_is_no_route(destination: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoRoute, match=reason):
        found(World(), **destination)


def test_our_own_listener_is_no_route() -> None:
    world = World(own_addresses=[("192.0.2.9", 25)])
    with pytest.raises(NoRoute):
        found(world)


def test_the_password_on_record_is_opened() -> None:
    world = World()
    login = found(world, login=world.login("mx2", "secret"), tls=TlsUse.REQUIRED).options.login
    assert login == ClientLogin("mx2", "secret", set())


@pytest.mark.parametrize(
    ("use", "has_login", "expected"),
    [
        (TlsUse.OPPORTUNISTIC, False, True),
        (TlsUse.OPPORTUNISTIC, True, False),
        (TlsUse.REQUIRED, False, False),
        (TlsUse.VERIFY, False, False),
        (TlsUse.OFF, False, False),
    ],
)
def test_plain_text_follows_a_failed_handshake_only_without_a_password(
    use: TlsUse, has_login: bool, expected: bool
) -> None:
    world = World()
    login = world.login("mx2", "secret") if has_login else None
    assert found(world, tls=use, login=login).may_do_without_tls is expected


def linked(
    world: World,
    beginning: AttemptStart,
    *,
    not_borne: Pipelining | None = None,
    is_plain: bool = False,
) -> LinkPlan:
    plan = found(world, tls=TlsUse.OPPORTUNISTIC)
    context = world.new_context()
    if not_borne is not None:
        end = ConnectionEnd(EndKind.BROKEN, "", True, (), "", not_borne=not_borne)
        context.memory.backoff.learn(plan.destination.text, end)
    return plan.link_plan(
        ENDPOINT, context, WindowPace(), beginning, is_plain=is_plain, uses_ehlo=True, messages=7
    )


@pytest.mark.parametrize(
    ("run_ahead", "not_borne", "begins", "expected"),
    [
        (True, None, AHEAD, AHEAD),
        (False, None, AHEAD, OPENING),
        (True, None, OPENING, OPENING),
        (True, AHEAD, AHEAD, ACROSS),
        (True, OPENING, AHEAD, OFF),
        (False, OPENING, AHEAD, OFF),
    ],
    ids=["nothing known", "switched off", "rate limit", "windows broke", "it broke", "both"],
)
def test_pipelining_goes_as_far_as_the_strictest_of_three_allows(
    run_ahead: bool, not_borne: Pipelining | None, begins: Pipelining, expected: Pipelining
) -> None:
    world = World()
    world.set(run_ahead=run_ahead)
    beginning = AttemptStart(5, 1, begins, None)
    assert linked(world, beginning, not_borne=not_borne).options.pipelining is expected


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_plain_connection_asks_for_no_tls(is_plain: bool) -> None:
    plan = linked(World(), AttemptStart(5, 1, AHEAD, None), is_plain=is_plain)
    assert plan.options.tls is (TlsUse.OFF if is_plain else TlsUse.OPPORTUNISTIC)
    assert (plan.tls is None) is is_plain
    assert (plan.messages, plan.endpoint, plan.destination) == (7, ENDPOINT, "192.0.2.9:25")


def test_the_rate_on_record_is_that_of_the_destination() -> None:
    assert found(World(), per_minute=5).per_minute == 5
    assert found(World()).per_minute is None


def test_helo_is_remembered_for_the_destination() -> None:
    world = World()
    plan, context = found(world), world.new_context()
    end = ConnectionEnd(EndKind.QUIT, "", True, (), "", uses_ehlo=False)
    context.memory.backoff.learn(plan.destination.text, end)
    beginning = AttemptStart(5, 1, AHEAD, None)
    made = plan.link_plan(
        ENDPOINT, context, WindowPace(), beginning, is_plain=False, uses_ehlo=True, messages=7
    )
    assert replace(made.options, uses_ehlo=True) != made.options


def test_dns_that_changes_cannot_lead_an_account_into_our_networks() -> None:
    world = World()
    world.names.table["p.example"] = ["8.8.8.8"]
    plan = found(world, host="p.example", set_by="alpha")
    assert [one.text for one in plan.endpoints] == ["8.8.8.8:25"]
    for addresses in (["10.0.0.1"], ["127.0.0.1", "fd00::1"]):
        changed = World()
        changed.names.table["p.example"] = addresses
        with pytest.raises(NoRoute, match="no public address"):
            found(changed, host="p.example", set_by="alpha")
    mixed = World()
    mixed.names.table["p.example"] = ["10.0.0.1", "8.8.4.4"]
    plan = found(mixed, host="p.example", set_by="alpha")
    assert [one.text for one in plan.endpoints] == ["8.8.4.4:25"]


def test_an_address_that_an_account_chose_is_checked_without_dns() -> None:
    with pytest.raises(NoRoute, match="no public address"):
        found(World(), host="192.168.1.1", set_by="alpha")
