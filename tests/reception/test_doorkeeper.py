"""Who is let in when it is crowded."""

import ipaddress

import pytest

from restante.reception.doorkeeper import Doorkeeper, DoorLimits
from restante.tenancy.model import IpAddress

HOME = ipaddress.ip_address("192.0.2.10")
STRANGER = ipaddress.ip_address("198.51.100.1")
OTHER = ipaddress.ip_address("198.51.100.2")


def keeper(in_all: int = 10, of_strangers: int = 10, per_block: int = 10) -> Doorkeeper:
    return Doorkeeper(DoorLimits(in_all, of_strangers, per_block), lambda address: address == HOME)


def test_past_the_limit_in_all_nobody_gets_in() -> None:
    door = keeper(in_all=1)
    assert door.refusal(STRANGER) == ""
    door.entered(STRANGER)
    assert door.refusal(HOME) == "too many sessions"
    door.left(STRANGER, was_stranger=True, ended="quit")
    assert door.refusal(HOME) == ""


def test_strangers_leave_room_for_authorized_hosts() -> None:
    door = keeper(of_strangers=1)
    door.entered(STRANGER)
    assert door.refusal(OTHER) == "too many unauthenticated sessions"
    assert door.refusal(HOME) == ""


def test_who_has_authenticated_is_no_stranger() -> None:
    door = keeper(of_strangers=1)
    door.entered(STRANGER)
    door.authenticated()
    assert door.refusal(OTHER) == ""
    door.left(STRANGER, was_stranger=False, ended="quit")
    assert (door.sessions, door.strangers, door.ended) == (0, 0, {"quit": 1})


@pytest.mark.parametrize(
    ("first", "second", "is_one_block"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("0.0.0.1", "::1", False),
    ],
)
def test_address_blocks(first: str, second: str, is_one_block: bool) -> None:
    addresses: list[IpAddress] = [ipaddress.ip_address(first), ipaddress.ip_address(second)]
    door = keeper(per_block=1)
    door.entered(addresses[0])
    assert bool(door.refusal(addresses[1])) is is_one_block


def test_what_is_turned_away_is_counted_once() -> None:
    door = keeper(in_all=1)
    door.entered(STRANGER)
    door.refusal(OTHER)
    door.refusal(OTHER)
    assert door.take_shed() == {"too many sessions": 2}
    assert door.take_shed() == {}
