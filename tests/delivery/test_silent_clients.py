"""How long a silent client may keep a connection, and how many such clients may."""

import ipaddress

import pytest

from restante.delivery.silent_clients import (
    CLIENT_SECONDS,
    ClientWait,
    SilentClients,
    share_of_silent,
)
from restante.smtp.passed_client import PassedClient


def client(address: str, hello: str = "h") -> PassedClient:
    return PassedClient(ipaddress.ip_address(address), hello)


def silent(*addresses: str) -> SilentClients:
    found = SilentClients()
    for address in addresses:
        found.note(client(address))
    return found


def test_a_silent_client_is_known_by_its_address_whatever_its_name() -> None:
    found = silent("192.0.2.1")
    assert client("192.0.2.1", "other") in found
    assert client("192.0.2.2") not in found
    assert None not in found


def test_hosts_of_ipv6_are_known_by_their_network() -> None:
    found = silent("2001:db8:0:1::1")
    assert client("2001:db8:0:1:ffff::2") in found
    assert client("2001:db8:0:2::1") not in found


def test_one_that_got_an_answer_is_forgotten_with_its_network() -> None:
    found = silent("2001:db8::1")
    found.forget(client("2001:db8::2"))
    assert client("2001:db8::1") not in found
    found.forget(client("2001:db8::2"))


def test_patience_is_four_times_the_longest_wait_so_far() -> None:
    found, one = SilentClients(), client("192.0.2.1")
    assert found.patience(one) == CLIENT_SECONDS
    found.note(one, 8.0)
    found.note(one, 7.5)
    assert found.patience(one) == 32.0


def test_the_longest_waits_go_on_within_the_share_and_their_patience() -> None:
    found = silent(*(f"192.0.2.{n}" for n in range(1, 5)))
    waits = [ClientWait(client(f"192.0.2.{n}"), seconds) for n, seconds in enumerate((9, 29, 8), 1)]
    assert found.overdue(waits, 3) == [1]
    assert found.overdue(waits, 2) == [1, 2]
    assert found.overdue(waits, 0) == [1, 0, 2]


def test_no_wait_ends_before_the_client_counts_as_silent() -> None:
    found = silent("192.0.2.1")
    young = ClientWait(client("192.0.2.1"), CLIENT_SECONDS)
    assert found.overdue([young, ClientWait(client("192.0.2.2"), 100.0)], 0) == []


@pytest.mark.parametrize(
    ("most", "beside_others", "alone"), [(1, 0, 1), (3, 0, 3), (4, 1, 3), (20, 5, 15)]
)
def test_a_part_of_the_connections_is_kept_for_others(
    most: int, beside_others: int, alone: int
) -> None:
    assert share_of_silent(most, others_wait=True) == beside_others
    assert share_of_silent(most, others_wait=False) == alone
