"""The history of mail: the outcome for each recipient, written with the move itself."""

from dataclasses import replace
from typing import Any

import pytest

from restante.mail.message import NewMessage
from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.queue.drain_word import DrainWay
from restante.queue.history import HistoryEntry, HistoryFilter, HistoryPage
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)
from restante.store.interface import Store
from restante.store.queue_store import MessageBounce, QueueFilter
from restante.tenancy.history_detail import HistoryDetail
from tests.contract.making import ANNA, BERT, CARL, NOTED, account, domain, hosted, message, opened

ANY = HistoryFilter()
TAKEN = "250 2.0.0 Ok: queued as 4F1"
UNKNOWN = "550 5.1.1 <bert@alpha.example> unknown"
# Texts of strangers that look like the column's own form.
ORIGIN = MessageOrigin(
    *("192.0.2.9", 4711, 'x","port":1,"verdicts":{}', "TLSv1.3 TLS_AES_256_GCM_SHA384"),
    host_name="mx.example.org",
    verdicts={
        "spf": "pass for example.org",
        "milter": 'said "anna@alpha.example" }, "}" \\" and \\',
        "rspamd": "suspect; score 7; BAYES_SPAM",
        "": "",
    },
    ptr=PtrStatus.CONFIRMED,
    is_imported=True,
)


def from_afar(number: int, domain_id: int, *to: str) -> NewMessage:
    """Return a message whose origin is known."""
    return message(number, domain_id, *to)._replace(origin=ORIGIN)


async def settled(
    store: Store, domain_id: int, number: int, *recipients: RecipientOutcome, at: float = 50.0
) -> None:
    """Settle one message in a drain of its own."""
    drain = await opened(store, domain_id)
    await store.handover.settle(drain, [MessageOutcome(number, recipients)], at=at)
    await store.handover.close_drain(drain)


def delivered(path: str = ANNA) -> RecipientOutcome:
    return RecipientOutcome(path, RecipientMove.DELIVERED, TAKEN)


def refused(path: str = BERT) -> RecipientOutcome:
    return RecipientOutcome(path, RecipientMove.REFUSED, UNKNOWN)


async def told(
    store: Store, selection: HistoryFilter = ANY
) -> list[tuple[int, str, RecipientMove]]:
    """Return number, recipient and outcome of the entries, newest first."""
    entries = await store.history.history(selection)
    return [(entry.number, entry.forward_path, entry.outcome) for entry in entries]


async def test_an_entry_names_all_facts(store: Store) -> None:
    domain_id = await hosted(store)
    new = message(3, domain_id, ANNA, reverse_path="bob@example.org", received_at=7.5)._replace(
        origin=ORIGIN,
        message_id="<1@example.org>",
    )
    await store.reception.hold([new])
    drain = await opened(store, domain_id)

    await store.handover.settle(drain, [MessageOutcome(3, (delivered(),))], at=50.0)

    [entry] = await store.history.history(ANY)
    assert entry == HistoryEntry(
        id=entry.id,
        at=50.0,
        outcome=RecipientMove.DELIVERED,
        domain_id=domain_id,
        number=3,
        received_at=7.5,
        octets=new.size,
        reverse_path="bob@example.org",
        forward_path=ANNA,
        client="192.0.2.9",
        message_id="<1@example.org>",
        reply=TAKEN,
        drain=drain.number,
        way=DrainWay.DESTINATION,
        origin=ORIGIN,
    )


async def test_mail_without_origin_and_message_id_has_an_entry(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, reverse_path="")])
    await settled(store, domain_id, 1, delivered())
    [entry] = await store.history.history(ANY)
    assert (entry.client, entry.message_id, entry.reverse_path) == ("", "", "")
    assert entry.origin is None


async def leave_in_every_way(store: Store, domain_id: int) -> None:
    """Let mail be delivered whole and in part, refused, deleted, bounced and expired."""
    await store.reception.hold([from_afar(number, domain_id, ANNA, BERT) for number in (1, 2, 3)])
    await settled(store, domain_id, 1, delivered(), delivered(BERT))
    await settled(store, domain_id, 2, delivered(), refused())
    await store.queue.delete([2], NOTED)
    await store.queue.bounce([MessageBounce(3, (ANNA,), None)], NOTED)
    await store.retention.expire(domain_id, [3], RecipientStatus.HELD, 100.0, NOTED)


async def test_the_origin_is_kept_however_mail_leaves(store: Store) -> None:
    await leave_in_every_way(store, await hosted(store))
    entries = await store.history.history(ANY)
    assert {one.outcome for one in entries} == {
        RecipientMove.DELIVERED,
        RecipientMove.REFUSED,
        RecipientMove.DELETED,
        RecipientMove.BOUNCED,
        RecipientMove.EXPIRED,
    }
    assert [(one.client, one.origin) for one in entries] == [(ORIGIN.address, ORIGIN)] * 7


async def test_an_account_that_keeps_domains_keeps_no_words_of_filters(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.put_account(account(history=HistoryDetail.DOMAIN), NOTED)
    await leave_in_every_way(store, domain_id)
    entries = await store.history.history(ANY)
    assert [(one.client, one.origin) for one in entries] == [
        (ORIGIN.address, ORIGIN._replace(verdicts={}))
    ] * 7


async def test_an_entry_with_an_origin_is_as_much_larger(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id)])
    await settled(store, domain_id, 1, delivered())
    octets = (await store.history.history_figures()).octets
    await store.reception.hold([from_afar(2, domain_id)])
    await settled(store, domain_id, 2, delivered())
    both = (await store.history.history_figures()).octets
    assert 200 < both - 2 * octets < 400


async def test_each_recipient_has_an_entry_when_it_leaves(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT, CARL)])
    deferred = RecipientOutcome(CARL, RecipientMove.DEFERRED, "450 later")

    await settled(store, domain_id, 1, delivered(), refused(), deferred)
    assert await told(store) == [
        (1, BERT, RecipientMove.REFUSED),
        (1, ANNA, RecipientMove.DELIVERED),
    ]

    await settled(store, domain_id, 1, delivered(CARL))
    assert (await told(store))[0] == (1, CARL, RecipientMove.DELIVERED)


async def test_the_same_outcome_twice_makes_one_entry(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA), message(2, domain_id, ANNA, BERT)])
    for _ in range(2):
        await settled(store, domain_id, 1, delivered())
        await settled(store, domain_id, 2, delivered())
    assert await told(store) == [
        (2, ANNA, RecipientMove.DELIVERED),
        (1, ANNA, RecipientMove.DELIVERED),
    ]


async def test_more_than_one_statement_takes(store: Store) -> None:
    domain_id = await hosted(store)
    numbers = range(1, 151)
    await store.reception.hold([message(number, domain_id) for number in numbers])
    drain = await opened(store, domain_id)
    await store.handover.settle(
        drain, [MessageOutcome(number, (delivered(),)) for number in numbers]
    )
    entries = await store.history.history(HistoryFilter(limit=1000))
    assert [entry.number for entry in entries] == list(reversed(numbers))


async def test_deleted_mail(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT), message(2, domain_id, CARL)])
    await settled(store, domain_id, 1, refused())

    await store.queue.delete([1, 2, 99], NOTED)

    entries = await told(store)
    assert sorted(entries[:3]) == [
        (1, ANNA, RecipientMove.DELETED),
        (1, BERT, RecipientMove.DELETED),
        (2, CARL, RecipientMove.DELETED),
    ]
    assert entries[3:] == [(1, BERT, RecipientMove.REFUSED)]


async def test_bounced_mail(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT, CARL)])
    await store.queue.bounce([MessageBounce(1, (ANNA,), None)], NOTED)
    assert await told(store) == [(1, ANNA, RecipientMove.BOUNCED)]
    await store.queue.bounce(
        [MessageBounce(1, (BERT, CARL), None), MessageBounce(2, (ANNA,), None)], NOTED
    )
    assert sorted((await told(store))[:2]) == [
        (1, BERT, RecipientMove.BOUNCED),
        (1, CARL, RecipientMove.BOUNCED),
    ]


async def test_recipients_that_are_deleted_with_what_an_older_history_says(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT, CARL)])
    gone = MessageBounce(
        1, (ANNA, CARL), None, RecipientMove.DELETED, ("delivered: 250 Ok", "expired: ")
    )
    assert await store.queue.bounce([gone], NOTED) == [1]
    assert sorted(await told(store)) == [
        (1, ANNA, RecipientMove.DELETED),
        (1, CARL, RecipientMove.DELETED),
    ]
    replies = {one.forward_path: one.reply for one in await store.history.history(HistoryFilter())}
    assert replies == {ANNA: "delivered: 250 Ok", CARL: "expired: "}
    [left] = await store.queue.list_queue(QueueFilter())
    assert [one.forward_path for one in left.recipients] == [BERT]


@pytest.mark.parametrize("status", [RecipientStatus.HELD, RecipientStatus.REFUSED])
async def test_expired_mail(store: Store, status: RecipientStatus) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, ANNA, BERT)])
    await settled(store, domain_id, 1, refused())

    await store.retention.expire(domain_id, [1], status, 100.0, NOTED)

    gone = ANNA if status is RecipientStatus.HELD else BERT
    assert await told(store) == [(1, gone, RecipientMove.EXPIRED), (1, BERT, RecipientMove.REFUSED)]


async def test_no_more_than_the_domain_is_kept(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.put_account(account(history=HistoryDetail.DOMAIN), NOTED)
    await store.reception.hold([message(1, domain_id, ANNA, BERT)])
    await settled(store, domain_id, 1, refused())
    await store.queue.delete([1], NOTED)
    entries = await store.history.history(ANY)
    assert {(entry.reverse_path, entry.forward_path, entry.reply) for entry in entries} == {
        ("@example.org", "@alpha.example", "550 5.1.1"),
        ("@example.org", "@alpha.example", ""),
    }


async def test_nothing_is_kept(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.put_account(account(history=HistoryDetail.NONE), NOTED)
    await store.reception.hold([message(1, domain_id), message(2, domain_id)])
    await settled(store, domain_id, 1, delivered())
    await store.queue.delete([2], NOTED)
    assert await told(store) == []


async def filled(store: Store) -> tuple[int, int]:
    """Deliver three messages of two domains, a second apart; return the ids of the domains."""
    alpha, beta = await hosted(store), 0
    beta = (await store.records.put_domain(domain("beta.example"), NOTED)).id
    for number, domain_id, to in ((1, alpha, ANNA), (2, beta, "x@beta.example"), (3, alpha, BERT)):
        new = message(number, domain_id, to, reverse_path=f"s{number}@example.org")
        await store.reception.hold([new._replace(message_id=f"<{number}@example.org>")])
        await settled(store, domain_id, number, delivered(to), at=100.0 + number)
    return alpha, beta


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (ANY, [3, 2, 1]),
        (HistoryFilter(domain_ids=()), []),
        (HistoryFilter(number=2), [2]),
        (HistoryFilter(number=4), []),
        (HistoryFilter(message_id="<1@example.org>"), [1]),
        (HistoryFilter(reverse_path="s3@example.org"), [3]),
        (HistoryFilter(reverse_path="*@EXAMPLE.org"), [3, 2, 1]),
        (HistoryFilter(recipient="b*@alpha.example"), [3]),
        (HistoryFilter(outcome=RecipientMove.DELIVERED), [3, 2, 1]),
        (HistoryFilter(outcome=RecipientMove.REFUSED), []),
        (HistoryFilter(since=102.0), [3, 2]),
        (HistoryFilter(until=102.0), [1]),
        (HistoryFilter(limit=2), [3, 2]),
    ],
)
async def test_a_selection(store: Store, selection: HistoryFilter, numbers: list[int]) -> None:
    await filled(store)
    assert [number for number, *_ in await told(store, selection)] == numbers


async def test_a_selection_of_domains(store: Store) -> None:
    alpha, beta = await filled(store)
    assert [number for number, *_ in await told(store, HistoryFilter((alpha,)))] == [3, 1]
    assert [number for number, *_ in await told(store, HistoryFilter((alpha, beta)))] == [3, 2, 1]
    assert await told(store, HistoryFilter((beta,), number=1)) == []


async def test_paging(store: Store) -> None:
    await filled(store)
    [newest] = await store.history.history(HistoryFilter(limit=1))
    assert [number for number, *_ in await told(store, HistoryFilter(before=newest.id))] == [2, 1]


async def test_figures(store: Store) -> None:
    assert (await store.history.history_figures()).entries == 0
    assert (await store.history.history_figures()).oldest_at is None
    await filled(store)
    figures = await store.history.history_figures()
    assert (figures.entries, figures.oldest_at) == (3, 101.0)
    assert 3 * 60 < figures.octets < 3 * 300


async def test_trimming_by_age(store: Store) -> None:
    await filled(store)
    assert await store.history.trim_history(before=103.0, octets=10**9, limit=1) == 1
    assert await store.history.trim_history(before=103.0, octets=10**9, limit=9) == 1
    assert await store.history.trim_history(before=103.0, octets=10**9, limit=9) == 0
    assert [number for number, *_ in await told(store)] == [3]


async def test_trimming_by_size(store: Store) -> None:
    await filled(store)
    octets = (await store.history.history_figures()).octets
    assert await store.history.trim_history(before=0.0, octets=octets, limit=9) == 0
    assert await store.history.trim_history(before=0.0, octets=octets - 1, limit=9) == 1
    assert await store.history.trim_history(before=0.0, octets=0, limit=9) == 2
    assert await told(store) == []


async def test_trimming_by_age_alone(store: Store) -> None:
    await filled(store)
    assert await store.history.trim_history(before=102.0, octets=None, limit=9) == 1
    assert [number for number, *_ in await told(store)] == [3, 2]


async def test_forgetting_domains(store: Store) -> None:
    assert await store.history.history_domains() == []
    alpha, beta = await filled(store)
    assert await store.history.history_domains() == [alpha, beta]
    assert await store.history.forget_history([alpha], limit=1) == 1
    assert await store.history.forget_history([alpha], limit=9) == 1
    assert await store.history.forget_history([], limit=9) == 0
    assert [number for number, *_ in await told(store)] == [2]
    assert await store.history.history_domains() == [beta]


HOUR = 3600.0


async def left_at(store: Store, domain_id: int, number: int, at: float) -> None:
    """Let a message of this number come, and leave at this time."""
    await store.reception.hold([message(number, domain_id)])
    await settled(store, domain_id, number, delivered(), at=at)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"since": 0.0}, [5, 4, 3, 2, 1]),
        ({"since": 2 * HOUR}, [5, 4, 2]),
        ({"since": 2 * HOUR, "until": 3 * HOUR}, [5, 2]),
        ({"until": 2 * HOUR}, [3, 1]),
        ({"until": HOUR}, [3]),
        ({"until": 1.0}, []),
        ({"since": 9 * HOUR}, []),
        ({"since": 2 * HOUR, "before": 3}, [2]),
        ({"since": 2 * HOUR, "limit": 1}, [5]),
    ],
)
async def test_times_count_although_the_clock_was_set_back(
    store: Store, span: dict[str, Any], expected: list[int]
) -> None:
    domain_id = await hosted(store)
    times = {1: 1.5, 2: 2.5, 3: 0.5, 4: 3.5, 5: 2.6}
    for number, hours in times.items():
        await left_at(store, domain_id, number, hours * HOUR)
    for domain_ids in (None, (domain_id,)):
        selection = HistoryFilter(domain_ids=domain_ids, **span)
        assert [number for number, _, _ in await told(store, selection)] == expected


async def test_times_count_although_the_newest_entries_were_forgotten(store: Store) -> None:
    """Their ids may be given again, at another time."""
    first = await hosted(store)
    second = await hosted(store, "c.example")
    for number, hours in ((1, 1), (2, 2), (3, 5)):
        await left_at(store, first if number == 1 else second, number, hours * HOUR)
    await store.history.forget_history([second], 9)
    for number, hours in ((4, 2), (5, 3)):
        await left_at(store, first, number, hours * HOUR)
    assert [number for number, _, _ in await told(store, HistoryFilter(since=2 * HOUR))] == [5, 4]
    assert [number for number, _, _ in await told(store, HistoryFilter(until=3 * HOUR))] == [4, 1]
    assert await told(store, HistoryFilter(since=5 * HOUR)) == []


@pytest.mark.parametrize("before", [2.0 * HOUR, 9.0 * HOUR])
async def test_times_count_after_the_oldest_entries_were_trimmed(
    store: Store, before: float
) -> None:
    domain_id = await hosted(store)
    for number in (1, 2, 3):
        await left_at(store, domain_id, number, number * HOUR)
    await store.history.trim_history(before, None, 9)
    await left_at(store, domain_id, 4, 4 * HOUR)
    left = [number for number, _, _ in await told(store)]
    assert [one for one, _, _ in await told(store, HistoryFilter(since=3 * HOUR))] == [
        one for one in left if one >= 3
    ]
    assert [one for one, _, _ in await told(store, HistoryFilter(until=4 * HOUR))] == [
        one for one in left if one < 4
    ]


async def test_pages_have_each_entry_once_also_while_others_come(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(number, domain_id, ANNA) for number in range(1, 7)])
    for number in range(1, 6):
        await settled(store, domain_id, number, delivered(), at=50.0 + number)
    page = await store.history.history_page(HistoryFilter(limit=2))
    if len(page.entries) == 1:  # the time of a search was over; it goes on from there
        first = page.entries
        page = await store.history.history_page(HistoryFilter(limit=1, before=page.before))
        page = HistoryPage([*first, *page.entries], page.before)
    assert [one.number for one in page.entries] == [5, 4]
    await settled(store, domain_id, 6, delivered(), at=60.0)
    for wanted in (HistoryFilter(limit=3), HistoryFilter(limit=9, domain_ids=(domain_id, 99))):
        rest = await store.history.history_page(replace(wanted, before=page.before))
        assert ([one.number for one in rest.entries], rest.before) == ([3, 2, 1], None)
    assert await store.history.history_page(HistoryFilter(domain_ids=())) == HistoryPage([], None)
