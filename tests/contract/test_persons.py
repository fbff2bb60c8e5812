"""The data of one person: found in slices, and replaced by a mark."""

from dataclasses import replace

import pytest

from restante.mail.message_origin import MessageOrigin
from restante.queue.drain_word import DrainEnd
from restante.queue.history import HistoryFilter
from restante.queue.presence import DestinationState, PresenceChange
from restante.queue.recipient_status import MessageOutcome
from restante.store.handover_store import PastDrain
from restante.store.interface import Store
from restante.store.person_store import ERASABLE, PersonalRow, PersonPlace
from restante.store.release_store import ReleaseRecord
from restante.store.report_store import ReportFilter
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import DestinationLogin
from restante.tenancy.notice import Channel, NewNotice, NoticeFacts, NoticeKind, PastNotice
from restante.tenancy.person import read_person
from restante.tenancy.recipients import Recipient, RecipientSource
from restante.tenancy.record_change import Change
from restante.tenancy.release_result import ReleaseResult
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from tests.contract.making import (
    ANNA,
    BERT,
    delivered,
    hold,
    hosted,
    message,
    opened,
    refused,
    report,
)

PERSON = read_person(ANNA)
ENDED = AuditEntry(9.0, AuditAction.PERSON_ERASED, "operator", "erased-1")


async def facts_of(store: Store, place: PersonPlace) -> list[dict[str, object]]:
    found = await store.persons.find_person(place, PERSON, 0, 100)
    return [dict(row.facts) for row in found.rows]


async def erase(store: Store, place: PersonPlace, mark: str = "erased-1") -> int:
    found = await store.persons.find_person(place, PERSON, 0, 100)
    keys = [row.key for row in found.rows]
    return await store.persons.erase_person(place, PERSON, mark, keys)


async def settled(store: Store, domain_id: int) -> None:
    """Hold a message to Anna and Bert, which Anna gets and Bert does not."""
    await store.reception.hold([message(1, domain_id, ANNA, BERT)])
    drain = await opened(store, domain_id)
    both = (*delivered(1, ANNA).recipients, *refused(1, BERT, reply=f"550 not {ANNA}").recipients)
    await store.handover.settle(drain, [MessageOutcome(1, both)], at=50.0)


async def test_history_keeps_a_mark_in_place_of_paths_and_in_replies(store: Store) -> None:
    await settled(store, await hosted(store))

    [own, other] = await facts_of(store, PersonPlace.HISTORY)
    assert (own["forward_path"], own["outcome"]) == (ANNA, "delivered")
    assert await erase(store, PersonPlace.HISTORY) == 2

    entries = await store.history.history(HistoryFilter())
    assert {(one.forward_path, one.reply) for one in entries} >= {(BERT, "550 not erased-1")}
    assert "erased-1" in {one.forward_path for one in entries}
    assert await facts_of(store, PersonPlace.HISTORY) == []
    assert other["forward_path"] == BERT


async def test_the_origin_of_mail_that_left_keeps_a_mark_in_verdicts(store: Store) -> None:
    verdicts = {"milter": f"{ANNA} gets much spam", "spf": "pass for example.org"}
    origin = MessageOrigin("192.0.2.9", 4711, "mx.example.org", verdicts=verdicts)
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, BERT)._replace(origin=origin)])
    drain = await opened(store, domain_id)
    await store.handover.settle(drain, [delivered(1, BERT)], at=50.0)

    [found] = await facts_of(store, PersonPlace.HISTORY)
    assert found["origin"] == (
        '{"port":4711,"hello":"mx.example.org","verdicts":{"milter": "anna@alpha.example gets'
        ' much spam", "spf": "pass for example.org"}}'
    )
    assert await erase(store, PersonPlace.HISTORY) == 1

    [entry] = await store.history.history(HistoryFilter())
    assert entry.forward_path == BERT
    assert entry.origin == origin._replace(
        verdicts={"milter": "erased-1 gets much spam", "spf": "pass for example.org"}
    )


async def test_slices_go_on_where_the_last_one_ended(store: Store) -> None:
    await store.audit.record(
        [AuditEntry(float(at), AuditAction.USER_CHANGED, f"user {ANNA}", "x") for at in range(3)]
    )

    first = await store.persons.find_person(PersonPlace.AUDIT, PERSON, 0, 2)
    assert (first.looked_at, len(first.rows), first.after) == (2, 2, first.rows[-1].key)
    second = await store.persons.find_person(PersonPlace.AUDIT, PERSON, first.after or 0, 2)
    assert (second.looked_at, len(second.rows), second.after) == (1, 1, None)


async def test_the_trail_keeps_its_entries_without_the_address(store: Store) -> None:
    entry = AuditEntry(
        *(1.0, AuditAction.USER_CHANGED, f"user {ANNA} (alpha)", ANNA, "alpha", "192.0.2.1"),
        reason=f"asked by {ANNA}",
        changes=(Change("email", "none", ANNA),),
    )
    await store.audit.record(
        [entry, replace(entry, actor="x", subject=BERT, reason="", changes=())]
    )

    assert await erase(store, PersonPlace.AUDIT) == 1

    [other, kept] = await store.audit.audit()
    assert other.subject == BERT
    assert kept == replace(
        entry,
        actor="user erased-1 (alpha)",
        subject="erased-1",
        reason="asked by erased-1",
        changes=(Change("email", "none", "erased-1"),),
    )


async def test_releases_and_last_drains_keep_a_mark(store: Store) -> None:
    domain_id = await hosted(store)
    release = ReleaseRecord(
        7, 1.0, f"login {ANNA}", "192.0.2.1", "x", "alpha", "", ReleaseResult.GRANTED, "", 1
    )
    await store.releases.record_release(release, ENDED)
    drain = await opened(store, domain_id)
    past = PastDrain(1.0, 2.0, f"login {ANNA}", DrainEnd.FINISHED, "", 1, 0, 0, f"550 {ANNA}")
    await store.handover.close_drain(drain, past)

    assert await erase(store, PersonPlace.RELEASES) == 1
    assert await erase(store, PersonPlace.DRAINS) == 1

    assert await facts_of(store, PersonPlace.RELEASES) == []
    past = (await store.handover.past_drains())[domain_id]
    assert (past.requested_by, past.last_error) == ("login erased-1", "550 erased-1")


async def test_notices_keep_a_mark_while_they_wait_and_afterwards(store: Store) -> None:
    channel = Channel(0, "", "ops", "mail", "ops@x.example", None, frozenset(NoticeKind), 1.0)
    channel = await store.records.put_channel(channel, ENDED)
    facts = NoticeFacts(NoticeKind.TEST, "", ANNA, f"of {ANNA}", 1.0, {"to": ANNA})
    await store.notices.keep_notices([NewNotice(channel.id, "k", facts, 0, 1.0)], (), (), 10)
    past = PastNotice(0, channel.id, "p", facts, 0, 2.0, True, 0, f"550 {ANNA}")
    await store.notices.settle_notices((), [past])

    assert await erase(store, PersonPlace.NOTICES) == 1
    assert await erase(store, PersonPlace.PAST_NOTICES) == 1

    [waiting] = await store.notices.list_notices(10)
    [gone] = await store.notices.past_notices(None, None, 10)
    assert (
        waiting.facts
        == gone.facts
        == replace(facts, about="erased-1", text="of erased-1", details={"to": "erased-1"})
    )
    assert gone.reply == "550 erased-1"


async def test_recipients_of_each_source_are_removed_with_a_numbered_change(store: Store) -> None:
    domain_id = await hosted(store)
    await store.recipients.change_list(domain_id, ("anna", "annabel"), (), ENDED)
    seen = Recipient("anna", RecipientSource.DRAIN, is_there=True, at=1.0)
    await store.recipients.learn(domain_id, [seen])
    before = (await store.records.directory()).change_number

    assert await erase(store, PersonPlace.RECIPIENTS) == 2

    left = await store.recipients.recipients(domain_id, None, 10)
    assert [one.name for one in left] == ["annabel"]
    assert (await store.records.directory()).change_number == before + 1


async def test_the_cause_of_downtime_keeps_a_mark(store: Store) -> None:
    own = PresenceChange("alpha", "mail.example:25", 1.0, DestinationState.AWAY, f"554 ask {ANNA}")
    await store.presence.record_presence([own, replace(own, at=2.0, reason="refused")])

    assert [one["reason"] for one in await facts_of(store, PersonPlace.UPTIME)] == [own.reason]
    assert await erase(store, PersonPlace.UPTIME) == 1

    found = await store.presence.presence_changes("alpha", own.destination, before=None, limit=9)
    assert [change.reason for _, change in found] == ["refused", "554 ask erased-1"]


async def test_an_open_drain_names_who_asked_until_it_ends(store: Store) -> None:
    domain_id = await hosted(store)
    await store.handover.open_drain(domain_id, 1.0, 60.0, requested_by=f"login {ANNA}")

    [facts] = await facts_of(store, PersonPlace.OPEN_DRAINS)
    assert (facts["requested_by"], facts["requested_at"]) == (f"login {ANNA}", 1.0)

    [drain] = store.handover.open_drains()
    await store.handover.close_drain(drain)
    assert await facts_of(store, PersonPlace.OPEN_DRAINS) == []


async def test_a_waiting_change_names_its_maker_without_secrets(store: Store) -> None:
    await hosted(store)
    domain = (await store.records.directory()).domains["alpha.example"]
    wanted = replace(domain.destination, login=DestinationLogin(ANNA, b"sealed"))
    change = ScheduledChange(
        *(0, domain.id, domain.name, "alpha"),
        ChangeMaker(f"user {ANNA} (alpha)", "192.0.2.9", "", ANNA),
        *(1.0, 2.0),
        destination=PartReplacement(domain.destination, wanted),
        reason="moved",
    )
    await store.schedule.schedule_change(change, ENDED)

    [facts] = await facts_of(store, PersonPlace.WAITING_CHANGES)
    assert facts == {
        "maker": f"user {ANNA} (alpha)",
        "portal_user": ANNA,
        "reason": "moved",
        "made_at": 1.0,
        "applies_at": 2.0,
        "acted_from": "192.0.2.9",
        "account": "alpha",
        "domain": "alpha.example",
    }


async def test_held_mail_and_reports_are_found(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await store.reception.hold(
        [message(2, domain_id, BERT), message(3, domain_id, BERT, reverse_path=ANNA)]
    )
    drain = await opened(store, domain_id)
    await store.handover.settle(drain, [refused(1)], at=5.0, reports=[report(1, domain_id)])

    found = await store.persons.find_person(PersonPlace.HELD, PERSON, 0, 100)

    assert [row.key for row in found.rows] == [1, 3]
    assert found.rows[0].facts["recipients"] == ANNA


async def test_reports_are_found_by_their_content_and_their_sender(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id)
    about = {number: report(number, domain_id) for number in range(1, 5)}
    about[2] = replace(about[2], content=f"to: {ANNA}: 550 no\r\n".encode())
    about[4] = replace(about[4], reverse_path=ANNA)
    for number, one in about.items():
        await hold(store, domain_id, number)
        await store.handover.settle(drain, [refused(number)], at=5.0, reports=[one])
    numbers = [one.number for one in await store.reports.list_reports(ReportFilter())]

    rows: list[PersonalRow] = []
    after = 0
    for _ in range(2):  # slices
        page = await store.persons.find_person(PersonPlace.REPORTS, PERSON, after, 3)
        rows += page.rows
        after = page.after or 0
    assert [row.key for row in rows] == [numbers[1], numbers[3]]
    assert dict(rows[0].facts) == {
        "reverse_path": "bob@example.org",
        "reply": "",
        "domain_id": domain_id,
        "made_at": 50.0,
    }


@pytest.mark.parametrize("place", PersonPlace)
async def test_an_empty_store_has_nothing(store: Store, place: PersonPlace) -> None:
    found = await store.persons.find_person(place, PERSON, 0, 10)
    assert (found.rows, found.looked_at, found.after) == ([], 0, None)
    if place in ERASABLE:
        assert await store.persons.erase_person(place, PERSON, "erased-1", [5]) == 0


async def test_an_interrupted_erasure_has_the_same_mark_until_it_ends(store: Store) -> None:
    assert await store.persons.begin_erasure(ANNA) == "erased-1"
    assert await store.persons.begin_erasure(BERT) == "erased-2"
    assert await store.persons.begin_erasure(ANNA) == "erased-1"

    await store.persons.end_erasure("erased-1", ENDED)

    assert await store.persons.begin_erasure(ANNA) == "erased-3"
    assert await store.audit.audit() == [ENDED]
