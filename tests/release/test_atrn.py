"""ATRN on the wire, row by row, and the reply to each outcome."""

from collections.abc import Iterator
from typing import Any

import pytest

from restante.reception.reception_settings import ReceptionSettings
from restante.release.atrn import atrn_reply
from restante.release.release_outcome import (
    CannotNow,
    Granted,
    NotATarget,
    NotAuthenticated,
    NothingHeld,
    Refused,
    ReleaseOutcome,
)
from restante.smtp.server_options import ServiceProfile
from restante.store.store_errors import StoreError
from restante.telemetry.events import TurnaroundGranted
from restante.tenancy.audit import AuditAction
from restante.tenancy.policy import Suspension, TurnaroundPolicy
from tests.contract.store_parts import part_with
from tests.wire import Wire


@pytest.mark.parametrize(
    ("outcome", "reply"),
    [
        (Granted("a.example", 3, ""), "250 2.0.0 OK now reversing the connection"),
        (NothingHeld("a.example", ""), "453 4.2.0 You have no mail"),
        (NothingHeld("a.example", "", is_positive_wanted=True), "453 4.2.0 You have no mail"),
        (Refused("a.example", "unknown"), "450 4.7.1 ATRN request refused"),
        (Refused("b.example", "another's"), "450 4.7.1 ATRN request refused"),
        (
            CannotNow("a.example", "", suspensions=("a.example: x",)),
            "451 4.3.2 Unable to process ATRN request now",
        ),
        (CannotNow("a.example", "store"), "451 4.3.0 Unable to process ATRN request now"),
        (NotAuthenticated(""), "530 5.7.0 Authentication required"),
        (
            NotATarget(is_missing=False),
            "501 5.5.4 Argument is not a list of domains, @domain or #name with commas between",
        ),
    ],
)
def test_each_outcome_has_its_reply(outcome: ReleaseOutcome, reply: str) -> None:
    assert str(atrn_reply(outcome)) == reply


ALLOWED: dict[str, Any] = {"turnaround": TurnaroundPolicy.ALLOW}
ODMR = ServiceProfile(takes_mail=False, turns_around=True)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A listener for turnarounds, with one account that may have them."""
    made = Wire()
    made.profile = ODMR
    made.hosts("a.example", holding=2, **ALLOWED)
    made.hosts("b.example", holding=1, **ALLOWED)
    made.hosts("empty.example", **ALLOWED)
    made.hosts("closed.example", holding=1)
    made.hosts("far.example", holding=1, allow=("203.0.113.0/24",), **ALLOWED)
    made.hosts("other.example", account="beta", holding=1, **ALLOWED)
    made.lets_turn("alpha")
    made.connect(has_tls=True)
    yield made
    made.close()


def asks(wire: Wire, argument: str, reply: str) -> None:
    wire.connect(has_tls=True)
    wire.transcript(
        f"C: AUTH PLAIN {{alpha}}\nS: 235 2.7.0 Authentication successful\n"
        f"C: {f'ATRN {argument}'.strip()}\nS: {reply}"
    )


@pytest.mark.parametrize(
    ("argument", "domains"),
    [
        ("a.example", ["a.example"]),
        ("a.example, b.example", ["a.example", "b.example"]),
        ("a.example,empty.example", ["a.example"]),  # those with mail
        ("", ["a.example", "b.example"]),
        ("#alpha", ["a.example", "b.example"]),
    ],
)
def test_it_is_granted_for_what_may_be_taken(wire: Wire, argument: str, domains: list[str]) -> None:
    asks(wire, argument, "250 2.0.0 OK now reversing the connection")
    assert wire.drains.turned == [domains]
    assert wire.dialogue.turnaround is wire.drains.turnarounds[0]
    [entry] = wire.trail()
    assert entry.subject == (argument or "#alpha")
    assert entry.action is AuditAction.TURNAROUND_REQUESTED
    assert entry.answer == "250 2.0.0 OK now reversing the connection"
    [granted] = wire.log.of(TurnaroundGranted)
    assert (granted["login"], granted["peer"]) == ("alpha", "192.0.2.10")


REFUSED = "450 4.7.1 ATRN request refused"


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("nowhere.example", "not hosted"),
        ("other.example", "another account"),
        ("far.example", "host not authorized"),
        ("closed.example", "no turnaround is allowed"),
        ("a.example,other.example", "another account"),
        ("a.example,closed.example", "no turnaround is allowed"),
        ("#beta", "none of these"),
    ],
)
def test_one_reply_hides_every_cause_of_a_refusal(wire: Wire, argument: str, why: str) -> None:
    asks(wire, argument, REFUSED)
    assert wire.drains.turned == []
    [entry] = wire.trail()
    assert entry.answer == REFUSED
    assert why in entry.reason
    assert wire.dialogue.turnaround is None


def test_a_login_without_the_right_is_refused_alike(wire: Wire) -> None:
    wire.connect(has_tls=True)
    wire.transcript(
        f"C: AUTH PLAIN {{beta}}\nS: 235 2.7.0 Authentication successful\n"
        f"C: ATRN other.example\nS: {REFUSED}"
    )
    [entry] = wire.trail()
    assert entry.reason == "the login has no right to a turnaround"


def test_without_a_login_it_is_530_and_audited(wire: Wire) -> None:
    wire.transcript("C: ATRN a.example\nS: 530 5.7.0 Authentication required")
    [entry] = wire.trail()
    assert entry.actor == "anonymous"


def test_nothing_held_is_453(wire: Wire) -> None:
    asks(wire, "empty.example", "453 4.2.0 You have no mail")
    assert wire.drains.turned == []


def test_suspended_ones_alone_are_451(wire: Wire) -> None:
    wire.change("a.example", suspension=Suspension("unpaid"))
    asks(wire, "a.example", "451 4.3.2 Unable to process ATRN request now")
    asks(wire, "a.example,b.example", "250 2.0.0 OK now reversing the connection")
    assert wire.drains.turned == [["b.example"]]


@pytest.fixture
def bare() -> Iterator[Wire]:
    """A listener for turnarounds, whose account holds no mail that may leave now."""
    made = Wire()
    made.profile = ODMR
    made.hosts("empty.example", **ALLOWED)
    made.lets_turn("alpha")
    yield made
    made.close()


@pytest.mark.parametrize("argument", ["", "#alpha"])
@pytest.mark.parametrize(
    ("held", "reply"),
    [
        ("suspended", "451 4.3.2 Unable to process ATRN request now"),
        ("for another host", REFUSED),
        ("without a turnaround", "453 4.2.0 You have no mail"),
    ],
)
def test_mail_that_waits_and_may_not_leave_now_is_not_denied(
    bare: Wire, argument: str, held: str, reply: str
) -> None:
    hosts = ("203.0.113.0/24",) if held == "for another host" else ("192.0.2.0/24",)
    policy = {} if held == "without a turnaround" else ALLOWED
    bare.hosts("full.example", holding=1, allow=hosts, **policy)
    if held == "suspended":
        bare.change("full.example", suspension=Suspension("unpaid"))
    asks(bare, argument, reply)
    assert bare.drains.turned == []
    [entry] = bare.trail()
    assert ("full.example" in entry.reason) == (held != "without a turnaround")


def test_what_is_no_list_is_501(wire: Wire) -> None:
    reply = "501 5.5.4 Argument is not a list of domains, @domain or #name with commas between"
    asks(wire, "a.example b.example", reply)


def test_a_lease_that_cannot_be_had_is_451(wire: Wire) -> None:
    wire.drains.is_broken = True
    asks(wire, "a.example", "451 4.3.0 Unable to process ATRN request now")
    assert "no turnaround could start" in wire.trail()[0].reason


def test_another_turnaround_of_the_account_is_450(wire: Wire) -> None:
    wire.drains.is_busy = True
    asks(wire, "a.example", REFUSED)
    assert "another turnaround" in wire.trail()[0].reason


def test_a_connection_that_cannot_be_given_away_calls_it_off(wire: Wire) -> None:
    wire.may_turn = False
    asks(wire, "a.example", "503 5.5.1 Bad sequence of commands")
    assert wire.drains.turnarounds[0].called_off
    assert wire.dialogue.turnaround is None


def test_a_grant_that_cannot_be_recorded_is_called_off(wire: Wire) -> None:
    """The entry is written before the 250, or there is no 250."""

    async def failing(*_: object) -> None:
        raise StoreError("the disk is full")

    part_with(wire.store, "record_release").record_release = failing
    asks(wire, "a.example", "451 4.3.0 Unable to process ATRN request now")
    assert wire.drains.turnarounds[0].called_off
    assert wire.dialogue.turnaround is None


@pytest.fixture
def strict() -> Iterator[Wire]:
    """The same, with a limit of two requests a minute."""
    made = Wire(ReceptionSettings(releases_per_minute=2))
    made.profile = ODMR
    made.hosts("a.example", **ALLOWED)
    made.lets_turn("alpha")
    yield made
    made.close()


def test_too_many_requests_are_450_and_not_audited(strict: Wire) -> None:
    for _ in range(2):
        asks(strict, "a.example", "453 4.2.0 You have no mail")
    asks(strict, "a.example", REFUSED)
    assert len(strict.trail()) == 2
