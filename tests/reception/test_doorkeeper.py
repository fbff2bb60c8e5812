"""The clients that are admitted when sessions are short."""

import ipaddress

import pytest

from restante.reception.doorkeeper import Doorkeeper, DoorLimits, ShedCause
from restante.smtp.session_end import SessionEnd
from restante.tenancy.model import IpAddress

HOME = ipaddress.ip_address("192.0.2.10")
STRANGER = ipaddress.ip_address("198.51.100.1")
OTHER = ipaddress.ip_address("198.51.100.2")


class Clock:
    """Monotonic seconds that pass when told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def keeper(
    in_all: int = 10,
    of_strangers: int = 10,
    per_block: int = 10,
    per_minute: int = 600,
    clock: Clock | None = None,
) -> Doorkeeper:
    limits = DoorLimits(in_all, of_strangers, per_block, per_minute)
    return Doorkeeper(limits, lambda address: address == HOME, clock or Clock())


def test_past_the_limit_in_all_nobody_gets_in() -> None:
    door = keeper(in_all=1)
    assert door.refusal(STRANGER) is None
    door.entered(STRANGER)
    assert door.refusal(HOME) is ShedCause.SESSIONS
    door.left(STRANGER, was_stranger=True, end=SessionEnd.QUIT, in_content=False)
    assert door.refusal(HOME) is None


def test_strangers_leave_room_for_authorized_hosts() -> None:
    door = keeper(of_strangers=1)
    door.entered(STRANGER)
    assert door.refusal(OTHER) is ShedCause.UNAUTHENTICATED_SESSIONS
    assert door.refusal(HOME) is None


def test_an_authenticated_client_is_not_a_stranger() -> None:
    door = keeper(of_strangers=1)
    door.entered(STRANGER)
    door.authenticated()
    assert door.refusal(OTHER) is None
    door.left(STRANGER, was_stranger=False, end=SessionEnd.QUIT, in_content=False)
    assert (door.sessions, door.strangers, door.ended) == (0, 0, {("quit", "false"): 1})


@pytest.mark.parametrize(
    ("first", "second", "is_one_block"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("0.0.0.1", "::1", False),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", False),  # all of IPv4 behind a gateway
        ("64:ff9b::192.0.2.1", "192.0.2.1", True),
        ("64:ff9b::1:0:1", "64:ff9b::2:0:1", True),  # not of the gateway's prefix
        ("2002:c000:201:1::1", "2002:c000:201:2::1", True),  # one host of 6to4
        ("2002:c000:201:1::1", "2002:c000:202:1::1", False),
    ],
)
def test_address_blocks(first: str, second: str, is_one_block: bool) -> None:
    addresses: list[IpAddress] = [ipaddress.ip_address(first), ipaddress.ip_address(second)]
    door = keeper(per_block=1)
    door.entered(addresses[0])
    assert bool(door.refusal(addresses[1])) is is_one_block


def test_a_connection_turned_away_is_counted_once() -> None:
    door = keeper(in_all=1)
    door.entered(STRANGER)
    door.refusal(OTHER)
    door.refusal(OTHER)
    assert door.take_shed() == {ShedCause.SESSIONS: 2}
    assert door.take_shed() == {}
    assert door.shed == {ShedCause.SESSIONS: 2}  # since the start


# Connections in a minute

OFTEN = ShedCause.CONNECTIONS_PER_MINUTE


def test_a_burst_of_a_whole_minute_passes_and_then_the_rate_counts() -> None:
    clock = Clock()
    door = keeper(per_minute=60, clock=clock)
    assert [door.refusal(STRANGER) for _ in range(62)] == [None] * 60 + [OFTEN] * 2
    clock.now += 1.0
    assert [door.refusal(STRANGER) for _ in range(2)] == [None, OFTEN]
    clock.now += 3600.0
    assert [door.refusal(STRANGER) for _ in range(61)] == [None] * 60 + [OFTEN]
    assert door.take_shed() == {OFTEN: 4}


def test_each_block_has_its_own_minute() -> None:
    door = keeper(per_minute=1)
    assert [door.refusal(each) for each in (STRANGER, OTHER)] == [None, None]
    one, neighbor = (ipaddress.ip_address(f"2001:db8:1:2::{each}") for each in (1, 2))
    assert [door.refusal(each) for each in (one, neighbor)] == [None, OFTEN]


def test_authorized_hosts_may_come_as_often_as_they_like() -> None:
    door = keeper(per_minute=1)
    assert [door.refusal(HOME) for _ in range(100)] == [None] * 100


def test_a_connection_that_another_limit_turned_away_does_not_count() -> None:
    door = keeper(in_all=1, per_minute=2)
    assert door.refusal(STRANGER) is None
    door.entered(STRANGER)
    for _ in range(10):
        assert door.refusal(STRANGER) is ShedCause.SESSIONS
    door.left(STRANGER, was_stranger=True, end=SessionEnd.QUIT, in_content=False)
    assert [door.refusal(STRANGER) for _ in range(2)] == [None, OFTEN]


def test_a_new_limit_applies_at_once() -> None:
    door = keeper(per_minute=1)
    assert [door.refusal(STRANGER) for _ in range(2)] == [None, OFTEN]
    clock = Clock()
    door = keeper(per_minute=1, clock=clock)
    door.refusal(STRANGER)
    door.set_limits(DoorLimits(10, 10, 10, 120))
    clock.now += 0.5
    assert [door.refusal(STRANGER) for _ in range(2)] == [None, OFTEN]


# Many IPv6 blocks of one site


def block(number: int, site: int = 1) -> IpAddress:
    return ipaddress.ip_address(f"2001:db8:{site}:{number:x}::1")


def test_a_site_with_many_blocks_takes_half_of_the_sessions_at_most() -> None:
    door = keeper(in_all=100, of_strangers=80, per_block=10)
    for number in range(200):
        if not door.refusal(block(number)):
            door.entered(block(number))
    assert door.sessions == 40
    assert door.refusal(block(200)) is ShedCause.SESSIONS_PER_BLOCK
    assert door.refusal(block(1, site=2)) is None
    assert door.refusal(STRANGER) is None
    door.left(block(0), was_stranger=True, end=SessionEnd.QUIT, in_content=False)
    assert door.refusal(block(200)) is None


def test_a_site_with_many_blocks_comes_as_often_as_eight() -> None:
    clock = Clock()
    door = keeper(per_minute=10, clock=clock)
    assert [door.refusal(block(number)) for number in range(81)] == [None] * 80 + [OFTEN]
    assert door.refusal(block(1, site=2)) is None
    clock.now += 60.0
    assert door.refusal(block(200)) is None


def test_a_busy_block_takes_nothing_from_the_others_of_its_site() -> None:
    door = keeper(per_minute=10)
    assert [door.refusal(block(1)) for _ in range(1000)].count(None) == 10
    assert [door.refusal(block(number)) for number in range(2, 72)] == [None] * 70


def test_an_authorized_host_in_a_busy_site_is_admitted() -> None:
    home = block(9999)
    door = Doorkeeper(DoorLimits(100, 80, 10, 1), lambda address: address == home, Clock())
    for number in range(100):
        if not door.refusal(block(number)):
            door.entered(block(number))
    assert door.refusal(home) is None
    assert door.sessions == 8


def test_the_counts_of_a_site_end_with_its_sessions() -> None:
    door = keeper()
    door.entered(block(1))
    door.left(block(1), was_stranger=True, end=SessionEnd.QUIT, in_content=False)
    assert not door._by_site
    assert not door._by_block
