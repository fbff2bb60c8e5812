"""Listing, deleting, releasing again: the queue as an operator sees and touches it."""

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import RecipientStatus
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.interface import Store
from restante.store.postgres import slice_search
from restante.store.queue_store import QueuedMessage, QueuedRecipient, QueueFilter
from restante.store.sqlite import bounded_search
from restante.tenancy.model import parse_network
from tests.contract.conftest import WITH_SEALED
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    NOTED,
    deferred,
    delivered,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    refused,
    waiting,
)

SIZE = len(CONTENT)


@pytest.fixture(params=WITH_SEALED)
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no search end for its time, however busy the machine is."""
    for searching in (bounded_search, slice_search):
        monkeypatch.setattr(searching, "SLICE_SECONDS", 60.0)
        monkeypatch.setattr(searching, "QUESTION_SECONDS", 60.0)


async def test_refused_mail_of_all_domains_is_in_the_order_in_which_it_came(store: Store) -> None:
    """Not domain by domain: a page would otherwise leave out mail that the next does not have."""
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await store.reception.hold(
        [message(number, beta if number % 2 else alpha) for number in range(1, 7)]
    )
    await store.handover.settle(
        await opened(store, alpha, 0.0, 60.0), [refused(number) for number in (2, 4, 6)]
    )
    await store.handover.settle(
        await opened(store, beta, 0.0, 60.0), [refused(number) for number in (1, 3, 5)]
    )
    wanted = QueueFilter(status=RecipientStatus.REFUSED, limit=2)
    pages = [await store.queue.list_queue(replace(wanted, after=after)) for after in (0, 2, 4, 6)]
    assert [[one.number for one in page] for page in pages] == [[1, 2], [3, 4], [5, 6], []]


async def paged(store: Store, wanted: QueueFilter) -> list[list[int]]:
    """Follow a listing to its end."""
    pages: list[list[int]] = []
    after = 0
    while True:
        page = await store.queue.queue_page(replace(wanted, after=after))
        pages.append([one.number for one in page.messages])
        if page.after is None:
            return pages
        after = page.after


@pytest.mark.parametrize(
    "wanted",
    [
        QueueFilter(),
        QueueFilter(status=RecipientStatus.REFUSED),
        QueueFilter(status=RecipientStatus.HELD),
        QueueFilter(domain_ids=()),
        QueueFilter(domain_ids=(1,)),
        QueueFilter(domain_ids=(1, 2)),
        QueueFilter(domain_ids=(2, 1), status=RecipientStatus.REFUSED),
        QueueFilter(recipient="anna@*"),
        QueueFilter(sender="nobody@*"),
        QueueFilter(message_id="<none@example.org>"),
        QueueFilter(numbers=(1, 3, 5, 7)),
        QueueFilter(received_since=10.0),
    ],
    ids=str,
)
@pytest.mark.usefixtures("unhurried")
async def test_pages_have_each_message_of_a_listing_once(store: Store, wanted: QueueFilter) -> None:
    await a_queue(store)
    whole = [one.number for one in await store.queue.list_queue(wanted)]
    for limit in (1, 2, 5, 6):
        pages = await paged(store, replace(wanted, limit=limit))
        assert list(chain(*pages)) == whole
        assert len(pages) == max(1, -(-len(whole) // limit))


async def test_pages_go_on_when_the_last_message_of_one_has_left(store: Store) -> None:
    alpha, _ = await a_queue(store)
    page = await store.queue.queue_page(QueueFilter(limit=2))
    assert page.after == 2
    await store.queue.delete([1, 2], NOTED)
    await store.reception.hold([message(6, alpha)])
    rest = await store.queue.queue_page(QueueFilter(limit=9, after=page.after))
    assert ([one.number for one in rest.messages], rest.after) == ([3, 4, 5, 6], None)


async def a_queue(store: Store) -> tuple[int, int]:
    """Two domains; 1 and 4 held, 2 half refused, 3 and 5 refused."""
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await store.reception.hold(
        [
            message(1, alpha, reverse_path=""),
            message(2, alpha, ANNA, BERT),
            message(3, alpha, ANNA, BERT, head=b"x" * 1000),
            message(4, beta),
            message(5, beta),
        ]
    )
    await store.handover.settle(
        await opened(store, alpha, 0.0, 60.0),
        [refused(2, ANNA), refused(3, ANNA, BERT)],
    )
    await store.handover.settle(await opened(store, beta, 0.0, 60.0), [deferred(4), refused(5)])
    return alpha, beta


async def listed(store: Store, selection: QueueFilter) -> list[int]:
    """The numbers of the messages in a listing."""
    return [one.number for one in await store.queue.list_queue(selection)]


async def test_a_listing_says_all_but_the_content(store: Store) -> None:
    alpha, _ = await a_queue(store)
    [found] = await store.queue.list_queue(QueueFilter(numbers=(2,)))
    assert found == QueuedMessage(
        number=2,
        domain_id=alpha,
        reverse_path="bob@example.org",
        recipients=(
            QueuedRecipient(BERT, RecipientStatus.HELD, ""),
            QueuedRecipient(ANNA, RecipientStatus.REFUSED, "550 5.1.1 no such user", None, 1),
        ),
        received_at=2.0,
        size=SIZE,
    )


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (QueueFilter(), [1, 2, 3, 4, 5]),
        (QueueFilter(status=RecipientStatus.HELD), [1, 2, 4]),
        (QueueFilter(status=RecipientStatus.REFUSED), [2, 3, 5]),
        (QueueFilter(reverse_path=""), [1]),
        (QueueFilter(reverse_path="bob@example.org"), [2, 3, 4, 5]),
        (QueueFilter(recipient="ANNA@*"), [1, 2, 3, 4, 5]),
        (QueueFilter(recipient="b?rt@alpha.example"), [2, 3]),
        (QueueFilter(recipient="bert*", status=RecipientStatus.HELD), [2]),
        (QueueFilter(recipient="bert*", status=RecipientStatus.REFUSED), [3]),
        (
            QueueFilter(recipient="anna*bert*"),
            [],
        ),  # a pattern is about one path, not about all of them in a row
        (QueueFilter(recipient="*", limit=2, after=1), [2, 3]),
        (QueueFilter(received_before=3.0), [1, 2]),
        (QueueFilter(larger_than=SIZE), [3]),
        (QueueFilter(larger_than=SIZE - 1), [1, 2, 3, 4, 5]),
        (QueueFilter(numbers=(5, 1, 77)), [1, 5]),
        (QueueFilter(numbers=()), []),
        (QueueFilter(domain_ids=()), []),
        (QueueFilter(after=2), [3, 4, 5]),
        (QueueFilter(limit=2), [1, 2]),
        (QueueFilter(after=1, limit=2, status=RecipientStatus.REFUSED), [2, 3]),
        (QueueFilter(numbers=(1, 2, 3), status=RecipientStatus.REFUSED, after=2), [3]),
        (
            QueueFilter(received_before=5.0, larger_than=10, reverse_path="bob@example.org"),
            [2, 3, 4],
        ),
    ],
)
async def test_a_listing_is_of_what_matches(
    store: Store, selection: QueueFilter, expected: list[int]
) -> None:
    await a_queue(store)
    assert await listed(store, selection) == expected


@pytest.mark.parametrize(
    ("selection", "of_alpha", "of_both"),
    [
        (QueueFilter(), [1, 2, 3], [1, 2, 3, 4, 5]),
        (QueueFilter(status=RecipientStatus.HELD), [1, 2], [1, 2, 4]),
        (QueueFilter(status=RecipientStatus.REFUSED), [2, 3], [2, 3, 5]),
        (QueueFilter(limit=2), [1, 2], [1, 2]),
        (QueueFilter(after=1, limit=3), [2, 3], [2, 3, 4]),
        (QueueFilter(numbers=(1, 4)), [1], [1, 4]),
        (QueueFilter(larger_than=SIZE), [3], [3]),
        (QueueFilter(recipient="anna@*"), [1, 2, 3], [1, 2, 3, 4, 5]),
        (QueueFilter(recipient="*", limit=2, after=1), [2, 3], [2, 3]),
    ],
)
async def test_a_listing_of_domains_is_of_theirs_only(
    store: Store, selection: QueueFilter, of_alpha: list[int], of_both: list[int]
) -> None:
    alpha, beta = await a_queue(store)
    assert await listed(store, replace(selection, domain_ids=(alpha,))) == of_alpha
    assert await listed(store, replace(selection, domain_ids=(beta, alpha))) == of_both


async def test_a_listing_by_status_shows_the_recipients_of_that_status(store: Store) -> None:
    await a_queue(store)
    [held] = await store.queue.list_queue(QueueFilter(numbers=(2,), status=RecipientStatus.HELD))
    [parked] = await store.queue.list_queue(
        QueueFilter(numbers=(2,), status=RecipientStatus.REFUSED)
    )
    assert [one.forward_path for one in held.recipients] == [BERT]
    assert [one.forward_path for one in parked.recipients] == [ANNA]


async def test_a_listing_by_recipient_shows_the_recipients_that_match(store: Store) -> None:
    await a_queue(store)
    [found] = await store.queue.list_queue(QueueFilter(numbers=(2,), recipient="Bert@*"))
    assert [one.forward_path for one in found.recipients] == [BERT]


async def test_a_long_listing_is_read_in_pages(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 26))
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [refused(number) for number in range(1, 26, 3)])
    pages, after = [], 0
    while page := await listed(store, QueueFilter(domain_ids=(domain_id,), after=after, limit=4)):
        pages.append(len(page))
        after = page[-1]
    assert pages == [4, 4, 4, 4, 4, 4, 1]


async def test_deleted_messages_are_gone_whatever_their_state(store: Store) -> None:
    alpha, beta = await a_queue(store)
    assert await store.queue.delete([2, 3, 4, 99, 2], NOTED) == 3
    assert await listed(store, QueueFilter()) == [1, 5]
    assert store.figures.usage(alpha) == DomainUsage(1, SIZE)
    assert store.figures.usage(beta) == DomainUsage(1, SIZE, refused=1)


async def test_deleting_what_is_not_there_is_recorded_too(store: Store) -> None:
    assert await store.queue.delete([1], NOTED) == 0
    assert await store.audit.audit() == [NOTED]


async def test_refused_recipients_are_held_again(store: Store) -> None:
    alpha, beta = await a_queue(store)
    assert await store.queue.release_refused([1, 2, 3, 99], NOTED) == 2
    assert await held_numbers(store, alpha) == [1, 2, 3]
    assert await waiting(store, 2) == (BERT, ANNA)
    assert await waiting(store, 3) == (ANNA, BERT)
    assert store.figures.usage(alpha) == DomainUsage(3, 2 * SIZE + 1000, refused=0)
    assert store.figures.usage(beta) == DomainUsage(2, 2 * SIZE, refused=1)


async def test_a_recipient_held_again_keeps_the_destinations_last_word(store: Store) -> None:
    _, beta = await a_queue(store)
    await store.queue.release_refused([5], NOTED)
    [found] = await store.queue.list_queue(QueueFilter(numbers=(5,)))
    assert found.recipients == (
        QueuedRecipient(ANNA, RecipientStatus.HELD, "550 5.1.1 no such user", None, 1),
    )
    assert store.figures.usage(beta).held == 2


async def test_a_recipient_held_again_can_be_delivered_or_refused_again(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [refused(1), refused(2)])
    await store.queue.release_refused([1, 2], NOTED)
    await store.handover.settle(drain, [delivered(1), refused(2)])
    assert store.figures.usage(domain_id) == DomainUsage(1, SIZE, refused=1)


async def test_actions_of_an_operator_on_mail_are_recorded(store: Store) -> None:
    await a_queue(store)
    deletion, release = replace(NOTED, subject="deletion"), replace(NOTED, subject="release")
    await store.queue.delete([1], deletion)
    await store.queue.release_refused([5], release)
    assert (await store.audit.audit())[:2] == [release, deletion]


async def test_a_queue_emptied_is_empty_in_every_way(store: Store) -> None:
    alpha, beta = await a_queue(store)
    await store.queue.delete([1, 2, 3, 4, 5], NOTED)
    assert store.figures.usages() == {}
    assert store.figures.usage(alpha) == store.figures.usage(beta) == NO_USAGE
    assert await store.figures.oldest() == {}
    assert await listed(store, QueueFilter()) == []


async def test_mail_is_found_by_its_message_id_as_long_as_it_is_there(store: Store) -> None:
    first, second = await hosted(store), await hosted(store, "c.example")
    await store.reception.hold(
        [
            message(number, domain_id)._replace(message_id=message_id)
            for number, domain_id, message_id in (
                (1, first, "<1@example.org>"),
                (2, second, "<1@example.org>"),
                (3, first, "<2@example.org>"),
                (4, first, None),
            )
        ]
    )

    async def found(**fields: Any) -> list[int]:
        wanted = QueueFilter(message_id="<1@example.org>", **fields)
        return [one.number for one in await store.queue.list_queue(wanted)]

    assert await found() == [1, 2]
    assert await found(domain_ids=(second,)) == [2]
    assert await found(domain_ids=()) == []
    assert await found(after=1) == [2]
    assert await found(limit=1) == [1]
    assert await found(numbers=(2, 3)) == [2]
    assert await found(status=RecipientStatus.REFUSED) == []
    await store.queue.delete([1], NOTED)
    assert await found() == [2]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("192.0.2.1", [1]),
        ("192.0.2.0/24", [1, 2]),
        ("0.0.0.0/0", [1, 2, 3]),
        ("2001:db8::/32", [4]),
        ("2001:db8::2", []),
        ("::/0", [4]),
    ],
)
async def test_mail_is_found_by_the_address_of_its_client(
    store: Store, network: str, expected: list[int]
) -> None:
    """An import may have brought odd addresses; other mail has no origin."""
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    clients = ["192.0.2.1", "192.0.2.255", "198.51.100.1", "2001:db8::1", "300.1.1.1", "1::2::3"]
    mails = [
        message(number, alpha)._replace(origin=MessageOrigin(client, 25, "x"))
        for number, client in enumerate(clients, 1)
    ]
    await store.reception.hold([*mails, message(7, alpha), message(8, beta)])
    await store.handover.settle(await opened(store, alpha), [refused(2)])
    wanted = QueueFilter(client=parse_network(network))
    assert await listed(store, wanted) == expected
    assert await listed(store, replace(wanted, domain_ids=(alpha,))) == expected
    assert await listed(store, replace(wanted, domain_ids=(beta,))) == []
    assert await listed(store, replace(wanted, domain_ids=(alpha, beta))) == expected
    assert await listed(store, replace(wanted, numbers=(2, 4, 5))) == [
        number for number in expected if number in (2, 4)
    ]
    refused_ones = replace(wanted, status=RecipientStatus.REFUSED)
    assert await listed(store, refused_ones) == [number for number in expected if number == 2]
    page = await store.queue.queue_page(replace(wanted, limit=1))
    assert [one.number for one in page.messages] == expected[:1]


async def test_a_listing_tells_suspect_mail(store: Store) -> None:
    alpha = await hosted(store)
    one, other = message(1, alpha), message(2, alpha)
    suspect = other._replace(envelope=other.envelope._replace(is_suspect=True))
    await store.reception.hold([one, suspect])
    found = await store.queue.list_queue(QueueFilter())
    assert [one.is_suspect for one in found] == [False, True]
