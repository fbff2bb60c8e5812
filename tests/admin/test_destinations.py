import ipaddress

import pytest

from restante.admin import destinations
from restante.admin.admin_error import AdminError
from restante.admin.destinations import is_local, judge_destination, reaches, read_destination
from tests.acceptance.peers.programs import missing
from tests.admin.admin_world import AdminWorld, FakeResolver, run
from tests.on_loopback import has_documentation_addresses


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("Mail.Example.ORG", "mail.example.org", 25),
        ("mail.example.org.:2525", "mail.example.org", 2525),
        ("bücher.example", "xn--bcher-kva.example", 25),
        ("192.0.2.1:26", "192.0.2.1", 26),
        ("[2001:DB8::1]:26", "2001:db8::1", 26),
        ("2001:db8::1", "2001:db8::1", 25),
        ("::ffff:192.0.2.1", "192.0.2.1", 25),
    ],
)
def test_a_destination_is_read_into_one_spelling(text: str, host: str, port: int) -> None:
    assert read_destination(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", ":25", "a b", "host:0", "host:99999", "0.0.0.0", "[::]:25", "224.0.0.1", "192.0.2.300"],
)
def test_an_invalid_destination_is_refused(text: str) -> None:
    with pytest.raises(AdminError):
        read_destination(text)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("mx2.example.net", 26),  # our own name, whatever the port
        ("127.0.0.1", 2525),  # a listener of ours
        ("127.0.0.1", 25),  # reached through 0.0.0.0
        ("127.9.9.9", 25),
        ("alias.example", 25),  # a name for one of our addresses
        ("both.example", 25),  # one of its addresses is ours
    ],
)
def test_a_destination_that_is_ourselves_is_refused(host: str, port: int) -> None:
    resolver = FakeResolver(
        {"alias.example": ["127.0.0.1"], "both.example": ["192.0.2.1", "127.0.0.1"]}
    )
    world = AdminWorld(resolver=resolver, own_addresses=[("0.0.0.0", 25), ("127.0.0.1", 2525)])
    with pytest.raises(AdminError, match="this server's own"):
        run(judge_destination(world.context, host, port))


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.2", 2525), ("127.0.0.1", 2526), ("192.0.2.1", 2525)]
)
def test_a_neighbour_on_this_machine_is_no_loop(host: str, port: int) -> None:
    assert run(judge_destination(AdminWorld().context, host, port)) == []


def test_a_name_that_does_not_resolve_now_is_only_warned_of() -> None:
    warnings = run(judge_destination(AdminWorld().context, "off.example", 25))
    assert len(warnings) == 1
    assert "off.example" in warnings[0]


def test_a_wildcard_listener_is_reached_at_every_local_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = ipaddress.ip_address("192.0.2.7")
    monkeypatch.setattr(destinations, "is_local", lambda address: address == ours)
    assert reaches(ours, 25, ("0.0.0.0", 25))
    assert reaches(ours, 25, ("::", 25))
    assert not reaches(ours, 26, ("0.0.0.0", 25))
    assert not reaches(ipaddress.ip_address("192.0.2.8"), 25, ("0.0.0.0", 25))


def test_loopback_is_local_and_other_machines_are_not() -> None:
    assert is_local(ipaddress.ip_address("127.1.2.3"))
    assert is_local(ipaddress.ip_address("::1"))
    assert not is_local(ipaddress.ip_address("198.18.0.1"))  # for measurements (RFC 2544)
    assert not is_local(ipaddress.ip_address("2001:db8:1::1"))


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_on_an_interface_is_local(address: str) -> None:
    if not has_documentation_addresses():
        missing("the addresses for documentation are not on lo: run the tests by `make test`")
    assert is_local(ipaddress.ip_address(address))


def test_a_link_local_destination_keeps_its_zone() -> None:
    assert read_destination("[fe80::AA%v0]:2525") == ("fe80::aa%v0", 2525)


@pytest.mark.parametrize(
    "text", ["[2001:db8::1%v0]:25", "[fe80::aa%]:25", "[fe80::aa%a b]:25", "192.0.2.1%v0"]
)
def test_a_zone_is_refused_where_it_means_nothing(text: str) -> None:
    with pytest.raises(AdminError):
        read_destination(text)
