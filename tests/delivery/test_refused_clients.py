"""Clients that are refused or deferred in a row: when an attempt slows down, looks, and ends."""

import ipaddress

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.refused_clients import (
    FIRST_LOOK,
    FREE_CLIENTS,
    LATER_LOOK,
    ROW_LIMIT,
    ClientRow,
    PolicyRefusals,
    RefusedClients,
)
from restante.smtp.passed_client import PassedClient


def client(address: str, hello: str = "h") -> PassedClient:
    return PassedClient(ipaddress.ip_address(address), hello)


def nth(number: int) -> PassedClient:
    return client(f"198.51.{number // 250}.{number % 250}")


def row(refused: int) -> ClientRow:
    made = ClientRow()
    for _ in range(refused):
        assert made.refused("554 no") is None
    return made


def state(of: ClientRow) -> tuple[bool, bool]:
    """Return whether it is long, and whether it needs a look."""
    return of.is_long, of.needs_look


def test_a_refused_client_is_known_by_its_address_whatever_its_name() -> None:
    found = RefusedClients()
    assert client("192.0.2.1") not in found
    found.note(client("192.0.2.1"))
    found.note(client("192.0.2.1", "other"))
    assert client("192.0.2.1", "third") in found
    assert found.times(client("192.0.2.1")) == 2
    assert client("192.0.2.2") not in found
    assert None not in found


def test_a_host_of_ipv6_is_known_by_its_network() -> None:
    found = RefusedClients()
    found.note(client("2001:db8:0:1::1"))
    assert client("2001:db8:0:1:ffff::2") in found
    assert client("2001:db8:0:2::1") not in found


def test_a_few_refused_clients_cost_no_time_and_no_look() -> None:
    assert state(row(FREE_CLIENTS - 1)) == (False, False)


def test_ten_in_a_row_slow_it_down_and_want_a_look_and_a_hundred_more_another() -> None:
    long = row(FIRST_LOOK)
    assert state(long) == (True, True)
    long.looked()
    for _ in range(LATER_LOOK):
        assert state(long) == (True, False)
        long.refused("554 no")
    assert state(long) == (True, True)


def test_a_delivered_message_ends_the_row() -> None:
    long = row(ROW_LIMIT - 1)
    long.delivered()
    assert state(long) == (False, False)
    assert long.refused("554 no") is None


def test_a_client_that_is_let_in_makes_the_look_needless_and_the_row_no_shorter() -> None:
    long = row(FIRST_LOOK)
    long.let_in()
    assert state(long) == (True, False)


def test_a_client_deferred_by_policy_counts_once_and_asks_for_no_look() -> None:
    long = ClientRow()
    for _ in range(3):
        for number in range(FREE_CLIENTS - 1):
            assert long.deferred(nth(number), "450 4.7.1 no") is None
    assert state(long) == (False, False)
    long.deferred(nth(FREE_CLIENTS), "450 4.7.1 no")
    assert state(long) == (True, False)
    long.delivered()
    assert state(long) == (False, False)


def test_a_row_is_about_clients_from_a_look_to_the_next_delivery() -> None:
    long, known = row(FIRST_LOOK), []
    for act in (long.let_in, long.looked, long.let_in, long.delivered):
        act()
        known.append(long.is_about_clients)
    assert known == [False, True, True, False]


def test_five_hundred_in_a_row_end_the_attempt_and_the_next_goes_on_by_itself() -> None:
    long = row(ROW_LIMIT - 2)
    assert long.deferred(nth(1), "450 4.7.1 no") is None
    stop = long.refused("554 5.7.1 the last")
    assert stop is not None
    assert stop.kind is AttemptKind.REFUSED_CLIENTS
    assert stop.reason.endswith("554 5.7.1 the last")


def test_refusals_by_policy_stand_for_few_clients_until_a_delivery() -> None:
    refusals = PolicyRefusals()
    assert [refusals.stands(nth(number), 3) for number in (1, 1, 2, 3, 4, 1)] == [
        *[True] * 4,
        *[False] * 2,
    ]
    refusals.delivered()
    assert refusals.stands(nth(5), 3)


def test_the_first_client_with_kept_mail_asks_for_a_look_with_mail_and_a_hundred_more_another() -> (
    None
):
    long = row(FREE_CLIENTS - 1)
    assert long.kept(nth(0), "u@b", "554 5.7.1 no") is None
    assert (long.needs_mail_look, long.mailbox, long.takes_our_mail) == (True, "u@b", False)
    assert state(long) == (True, True)
    long.looked_with_mail()
    assert (long.takes_our_mail, long.is_about_clients) == (True, True)
    for number in range(1, LATER_LOOK + 1):
        assert state(long) == (True, False)
        for _ in range(2):
            long.kept(nth(number), "v@b", "554 5.7.1 no")
    assert long.needs_mail_look
    long.delivered()
    assert (long.needs_mail_look, long.takes_our_mail) == (False, False)
    assert state(long) == (False, False)


def test_ten_clients_deferred_at_mail_or_rcpt_ask_for_that_look_too() -> None:
    long = ClientRow()
    for number in range(FIRST_LOOK):
        assert state(long) == (False, False)
        for _ in range(2):
            assert long.deferred_at_envelope(nth(number), "u@b", "451 4.3.0 no") is None
    assert (long.needs_mail_look, long.mailbox, long.has_kept) == (True, "u@b", False)
    assert state(long) == (True, True)
    long.kept(nth(0), "v@b", "554 5.7.1 no")
    assert long.has_kept
    long.delivered()
    assert (long.needs_mail_look, long.has_kept) == (False, False)
