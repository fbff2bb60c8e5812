"""One sentence for each domain, and the things that need a person."""

from datetime import timedelta
from typing import Any

import pytest

from restante.admin.auditing import ChangeView, moment
from restante.admin.change_scheduling import WaitingChangeView
from restante.admin.domain_glances import DomainGlance
from restante.admin.drains import DrainView, LastDrainView
from restante.admin.primary_state import PrimaryView
from restante.admin.releases import RefusedReleaseRequests
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.queue.presence import DestinationState
from restante.web.portal.domain_sentence import (
    MOST_REFUSED,
    more_changes,
    needs,
    refused_request,
    refused_requests,
    seen_now,
    sentence,
    trouble,
    waiting_change,
)

NOW = 1_764_331_200.0  # 2025-11-28 12:00
AT = moment(NOW)
UP = PrimaryView(seen=DestinationState.UP, since=AT, probed_at=AT - timedelta(seconds=40))
AWAY = PrimaryView(
    seen=DestinationState.AWAY, since=AT - timedelta(hours=8, minutes=48), reason="refused"
)


def test_a_request_that_was_refused_needs_a_person() -> None:
    refused = RefusedReleaseRequests(
        id="A7",
        at=AT - timedelta(minutes=5),
        requested_by="login acme-mail",
        acted_from="192.0.2.25",
        target="acme.example",
        domain="acme.example",
        reason="192.0.2.25 is not an authorized host",
        count=3,
    )
    need = refused_request(refused, NOW)
    assert (need.domain, need.link) == ("acme.example", "/releases/A7")
    assert need.text == (
        "login acme-mail from 192.0.2.25 asked for it and was refused 3 times, last 5 min ago:"
        " 192.0.2.25 is not an authorized host"
    )
    once = refused_request(refused.model_copy(update={"count": 1, "acted_from": ""}), NOW)
    assert once.text.startswith("login acme-mail asked for it and was refused 5 min ago: ")


def in_vain(target: str, *, domain: str = "", minutes: int = 1) -> RefusedReleaseRequests:
    return RefusedReleaseRequests(
        id=f"A{minutes}",
        at=AT - timedelta(minutes=minutes),
        requested_by="token tdom",
        acted_from="192.0.2.25",
        target=target,
        domain=domain,
        reason="names no domain",
        count=2,
    )


def test_refused_requests_for_names_that_are_no_domains_share_a_line() -> None:
    mistyped = [in_vain(f"typo{number}.example", minutes=number) for number in range(1, 40)]
    ours = in_vain("acme.example", domain="acme.example", minutes=50)
    first, others = refused_requests([*mistyped, ours], NOW)
    assert (first.domain, first.link) == ("acme.example", "/releases/A50")
    assert (others.domain, others.link) == ("Requests for mail", "/releases")
    assert others.text == (
        "78 more were refused, for 39 names; the last by token tdom for typo1.example 1 min ago:"
        " names no domain"
    )
    [only] = refused_requests(mistyped[:2], NOW)
    assert only.text.startswith("4 were refused, for 2 names; ")
    [alone] = refused_requests([in_vain("")], NOW)
    assert alone.domain == "A request"
    assert "asked for no domain and was refused" in alone.text
    many = [in_vain(f"{number}.example", domain=f"{number}.example") for number in range(9)]
    assert len(list(refused_requests(many, NOW))) == MOST_REFUSED + 1


def test_a_change_that_waits_says_what_and_when() -> None:
    def change(*fields: tuple[str, str]) -> WaitingChangeView:
        return WaitingChangeView(
            id=3,
            domain="acme.example",
            account="acme",
            asked_by="user eve@acme.example (acme)",
            acted_from="192.0.2.66",
            asked_at=AT,
            applies_at=AT + timedelta(minutes=60),
            reason="",
            changes=[ChangeView(field=name, before="a", after=after) for name, after in fields],
        )

    need = waiting_change(change(("destination.host", "evil.example")), NOW)
    assert (need.link, need.is_urgent) == ("/domains/acme.example#waiting", True)
    assert need.text == (
        "user eve@acme.example (acme) changes its destination to evil.example, from 13:00 on:"
        " look at it, or cancel it"
    )
    both = waiting_change(change(("destination.port", "26"), ("authorized_hosts", "::/0")), NOW)
    assert " changes its destination and its authorized hosts, from 13:00" in both.text
    assert more_changes([change(), change()], NOW).text == (
        "2 more changes wait, the next one until 13:00"
    )


def glance(**facts: Any) -> DomainGlance:
    empty: dict[str, Any] = {
        "name": "acme.example",
        "account": "acme",
        "destination": "mail.acme.example:25",
        "primary": UP,
        "held": 0,
        "octets": 0,
        "refused": 0,
        "uncertain": 0,
        "damaged": 0,
        "deferred_by_policy": 0,
        "oldest_at": None,
        "suspended_for": None,
        "keep_seconds": None,
        "at_end": "keep",
        "quota": None,
        "quota_messages": None,
        "drain": None,
        "last_drain": None,
    }
    return DomainGlance(**empty | facts)


def test_a_quiet_domain() -> None:
    assert sentence(glance(), NOW) == "mail.acme.example answers (40 s ago). 0 held."


def test_a_domain_whose_server_is_away() -> None:
    last = LastDrainView(
        domain="acme.example",
        started_at=AT - timedelta(days=1),
        ended_at=AT,
        requested_by="login acme-mail",
        end=DrainEnd.FINISHED,
        reason="",
        delivered=3,
        deferred=0,
        refused=0,
        uncertain=0,
        last_error="",
    )
    away = glance(
        primary=AWAY,
        held=1204,
        octets=88 * 2**20,
        oldest_at=AT - timedelta(hours=5),
        keep_seconds=30 * 86400.0,
        at_end="bounce",
        last_drain=last,
    )
    assert sentence(away, NOW) == (
        "mail.acme.example has been away since 03:12. 1,204 held, 88 MiB, oldest 5 h; kept 30 days,"
        " then bounced; last released yesterday by acme-mail."
    )
    assert [need.text for need in needs(away, NOW)] == [
        "mail.acme.example has been away for 9 h: refused"
    ]


def test_a_domain_without_its_proof_needs_a_record_in_dns() -> None:
    record = "acme.example. MX 20 mx2.example.net."
    [need] = needs(glance(awaits_record=record), NOW)
    assert (need.text, need.is_urgent) == (f"takes no mail until DNS has the record {record}", True)


def test_mail_that_is_kept_at_its_end_is_said_to_stay() -> None:
    assert "; kept without a time limit, with a notice after 10 seconds." in sentence(
        glance(held=3, octets=900, keep_seconds=10.0), NOW
    )


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"refused": 120}, "3 held, oldest 4 min; 45 KiB with 120 refused; kept"),
        ({"uncertain": 1, "damaged": 1}, "3 held, oldest 4 min; 45 KiB with 2 set apart; kept"),
        ({}, "3 held, 45 KiB, oldest 4 min; kept"),
    ],
)
def test_octets_of_other_mail_are_not_said_to_wait(facts: dict[str, int], text: str) -> None:
    old = AT - timedelta(minutes=4)
    assert text in sentence(glance(held=3, octets=45 * 1024, oldest_at=old, **facts), NOW)


def test_the_end_of_retention_counts_from_when_mail_was_held_again() -> None:
    facts = {"oldest_at": AT - timedelta(days=31), "keep_seconds": 30 * 86400.0}
    again = glance(held=1, at_end="delete", kept_from=AT - timedelta(days=28), **facts)
    assert [need.text for need in needs(again, NOW)] == ["the oldest mail is deleted in 2 d"]


def drain(state: DrainState, **facts: Any) -> DrainView:
    running: dict[str, Any] = {
        "domain": "acme.example",
        "destination": "mail.acme.example:25",
        "state": state,
        "started_at": AT,
        "delivered": 0,
        "refused": 0,
        "uncertain": 0,
        "deferred": 0,
        "connections": 0,
        "next_attempt_at": None,
        "last_error": "",
        "hindrance": None,
    }
    return DrainView(**running | facts)


@pytest.mark.parametrize(
    ("state", "facts", "text"),
    [
        (DrainState.DELIVERING, {}, "Handing over now"),
        (DrainState.DELIVERING, {"way": DrainWay.TURNAROUND}, "Handing over by ATRN now"),
        (
            DrainState.WAITING_TO_RETRY,
            {"next_attempt_at": AT + timedelta(minutes=5)},
            "The release waits to try again at 12:05",
        ),
        (DrainState.WAITING_TO_RETRY, {}, "The release waits to try again"),
        (DrainState.WAITING_TURN, {}, "The release waits its turn"),
        (DrainState.UNCLAIMED, {}, "The release waits for a server"),
        (DrainState.STOPPING, {}, "The release is being stopped"),
    ],
)
def test_the_stage_of_a_drain(state: DrainState, facts: dict[str, Any], text: str) -> None:
    told = sentence(glance(held=6, drain=drain(state, **facts)), NOW)
    assert told.endswith(f". {text}: 0 delivered, 6 left.")


def test_a_primary_that_takes_mail_is_not_away() -> None:
    taking = drain(DrainState.DELIVERING, connections=1, delivered=3)
    there = glance(primary=AWAY, held=6, drain=taking)
    assert sentence(there, NOW).startswith("mail.acme.example takes mail now. 6 held")
    assert seen_now(there) is DestinationState.UP
    assert not list(needs(there, NOW))
    dialing = glance(primary=AWAY, held=6, drain=drain(DrainState.DELIVERING, connections=1))
    assert sentence(dialing, NOW).startswith("mail.acme.example has been away")
    assert seen_now(dialing) is DestinationState.AWAY
    turning = drain(DrainState.DELIVERING, connections=1, delivered=3, way=DrainWay.TURNAROUND)
    assert seen_now(glance(primary=AWAY, held=6, drain=turning)) is DestinationState.AWAY


def test_an_attempt_that_is_newer_than_the_probe_says_that_the_primary_is_away() -> None:
    failed = drain(
        DrainState.WAITING_TO_RETRY,
        last_error="Connection refused",
        failed_at=AT - timedelta(seconds=5),
    )
    now_away = glance(held=6, drain=failed)
    assert sentence(now_away, NOW).startswith("mail.acme.example did not answer 5 s ago.")
    assert seen_now(now_away) is DestinationState.AWAY
    older = failed.model_copy(update={"failed_at": AT - timedelta(seconds=50)})
    assert seen_now(glance(held=6, drain=older)) is DestinationState.UP
    busy = failed.model_copy(update={"last_error": "451 busy"})
    assert seen_now(glance(held=6, drain=busy)) is DestinationState.UP


def test_a_delivery_that_is_newer_than_the_probe_says_that_the_primary_is_back() -> None:
    away = AWAY.model_copy(update={"probed_at": AT - timedelta(seconds=40)})
    back = glance(primary=away, took_mail_at=AT - timedelta(seconds=9))
    assert sentence(back, NOW).startswith("mail.acme.example took mail 9 s ago.")
    assert seen_now(back) is DestinationState.UP
    gone = glance(primary=away, took_mail_at=AT - timedelta(seconds=90))
    assert sentence(gone, NOW).startswith("mail.acme.example has been away")


def test_an_attempt_that_failed_is_newer_than_the_mail_of_the_drain_before() -> None:
    away = AWAY.model_copy(update={"probed_at": AT - timedelta(seconds=40)})
    failed = drain(
        DrainState.WAITING_TO_RETRY,
        last_error="Connection refused",
        failed_at=AT - timedelta(seconds=5),
    )
    again = glance(primary=away, took_mail_at=AT - timedelta(seconds=9), held=6, drain=failed)
    assert seen_now(again) is DestinationState.AWAY
    assert sentence(again, NOW).startswith("mail.acme.example has been away")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("451 4.3.2 slowly", ("The primary said last", "451 4.3.2 slowly")),
        ("421", ("The primary said last", "421")),
        ("Connection refused", ("No connection", "connection refused")),
        ("Network is unreachable", ("No connection", "network is unreachable")),
        ("connecting timed out", ("No connection", "connecting timed out")),
        ("no reply to MAIL", ("The last attempt failed", "no reply to MAIL")),
        ("4512 messages", ("The last attempt failed", "4512 messages")),
    ],
)
def test_only_replies_are_words_of_the_primary(error: str, told: tuple[str, str]) -> None:
    assert trouble(error) == told


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"damaged": 1}, "1 message is damaged"),
        ({"refused": 2}, "the primary has refused 2 messages"),
        ({"uncertain": 1}, "1 message may have arrived, or not"),
        ({"suspended_for": ""}, "suspended, nothing leaves"),
        ({"octets": 80, "quota": 100}, "80% of the quota is used; at 100 % new mail waits"),
        (
            {
                "oldest_at": AT - timedelta(days=29),
                "keep_seconds": 30 * 86400.0,
                "at_end": "delete",
            },
            "the oldest mail is deleted in 1 d",
        ),
    ],
    ids=["damaged", "refused", "uncertain", "suspended", "quota", "retention"],
)
def test_what_needs_a_person(facts: dict[str, Any], text: str) -> None:
    [need] = needs(glance(**facts), NOW)
    assert need.text.startswith(text)


def test_nothing_else_needs_a_person() -> None:
    young = AT - timedelta(days=1)
    assert not list(needs(glance(oldest_at=young, keep_seconds=30 * 86400.0, at_end="delete"), NOW))
    assert not list(needs(glance(primary=AWAY), NOW))
    assert not list(needs(glance(octets=79, quota=100), NOW))
