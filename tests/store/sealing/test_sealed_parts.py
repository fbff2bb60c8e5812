"""Content that does not open is set apart and stops nothing else; old mail stays readable."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from restante.mail.delivery_report import Report, ReportAction
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, NewMessage
from restante.queue.recipient_status import RecipientStatus
from restante.store.content_store import DAMAGED
from restante.store.memory import MemoryStore
from restante.store.queue_store import MessageBounce, QueueFilter
from restante.store.report_store import ReportFilter
from restante.store.sealing.sealed_store import SealedStore, seal_store
from restante.store.sqlite import open_sqlite
from restante.store.store_errors import Damaged, StoreError, StoreMismatched
from restante.tenancy.sealed_secrets import Vault
from tests.contract.making import (
    ANNA,
    CONTENT,
    NOTED,
    content,
    delivered,
    domain,
    hosted,
    message,
    opened,
    report,
    spooled,
)

VAULT = Vault(bytes(32))
LARGE = b"Subject: a large secret\r\n" * 20_000


async def sealed(below: MemoryStore, vault: Vault = VAULT, *, seals: bool = True) -> SealedStore:
    return await seal_store(below, vault, key_file="test.key", seals=seals)


async def hold_large(store: SealedStore, number: int, domain_id: int) -> ContentFile:
    file = await spooled(store, LARGE)
    await store.reception.hold([message(number, domain_id, file=file)])
    return file


async def heads(store: SealedStore, domain_id: int) -> dict[int, bytes]:
    found = await store.handover.held(domain_id, 0, 10, 1 << 20)
    return {one.number: one.head for one in found}


def swap_heads(below: MemoryStore, one: int, other: int) -> None:
    mail = below.state.mail
    first, second = mail[one].message, mail[other].message
    mail[one].message = first._replace(head=second.head)
    mail[other].message = second._replace(head=first.head)


async def statuses(store: SealedStore) -> dict[int, tuple[RecipientStatus, str]]:
    listed = await store.queue.list_queue(QueueFilter())
    return {one.number: (one.recipients[0].status, one.recipients[0].reply) for one in listed}


def test_mail_that_was_held_before_is_readable_and_so_is_sealed_mail_after() -> None:
    async def run() -> None:
        below = MemoryStore()
        id_ = await hosted(below)
        await below.reception.hold([message(1, id_)])
        store = await sealed(below)
        await store.reception.hold([message(2, id_)])
        assert below.state.mail[1].message.head == CONTENT
        assert CONTENT not in below.state.mail[2].message.head
        plain_again = await sealed(below, seals=False)
        await plain_again.reception.hold([message(3, id_)])
        assert below.state.mail[3].message.head == CONTENT
        assert await heads(plain_again, id_) == dict.fromkeys((1, 2, 3), CONTENT)

    asyncio.run(run())


def test_sizes_and_quotas_are_those_of_the_content() -> None:
    async def run() -> None:
        store = await sealed(MemoryStore())
        id_ = await hosted(store)
        await hold_large(store, 1, id_)
        assert store.figures.usage(id_).octets == len(CONTENT) + len(LARGE)
        found = await store.queue.message(1)
        assert found is not None
        assert found.size == len(CONTENT) + len(LARGE)

    asyncio.run(run())


def test_content_that_was_put_into_another_message_is_set_apart() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        id_ = await hosted(store)
        await store.reception.hold([message(number, id_) for number in (1, 2, 3)])
        swap_heads(below, 1, 2)
        assert await heads(store, id_) == {3: CONTENT}
        found = await statuses(store)
        assert found[1] == (RecipientStatus.DAMAGED, f"{DAMAGED} its seal is broken")
        assert found[2][0] is RecipientStatus.DAMAGED
        assert found[3][0] is RecipientStatus.HELD

    asyncio.run(run())


def test_a_drain_goes_on_behind_a_window_of_which_nothing_opens() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        id_ = await hosted(store)
        await store.reception.hold([message(number, id_) for number in (1, 2, 3)])
        swap_heads(below, 1, 2)
        window = await store.handover.held(id_, 0, 1, 1 << 20)
        assert [one.number for one in window] == [3]
        assert not await store.handover.held(id_, window[-1].place, 1, 1 << 20)

    asyncio.run(run())


def test_mail_of_one_account_is_not_readable_as_that_of_another() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        one = await hosted(store)
        two = (await store.records.put_domain(domain("beta.example"), NOTED)).id
        await store.reception.hold([message(1, one)])
        await store.reception.hold([message(2, two)])
        kept = below.state.mail[1]
        kept.message = kept.message._replace(domain_id=two)
        assert await heads(store, two) == {2: CONTENT}

    asyncio.run(run())


def test_without_its_key_mail_is_set_apart_and_with_a_wrong_key_file_it_is_left_alone() -> None:
    async def run() -> None:
        below = MemoryStore()
        id_ = await hosted(below)
        store = await sealed(below)  # before there is a key
        await (await sealed(below)).reception.hold([message(1, id_)])
        key = below.state.data_keys[id_]
        below.state.data_keys[id_] = Vault(b"\1" * 32).seal("00" * 32, "another")
        with pytest.raises(StoreError, match="another key file"):
            await heads(store, id_)
        assert (await statuses(store))[1][0] is RecipientStatus.HELD
        below.state.data_keys[id_] = key
        assert await heads(store, id_) == {1: CONTENT}
        del below.state.data_keys[id_]
        with pytest.raises(Damaged):
            await (await sealed(below)).queue.message(1)
        assert (await statuses(store))[1][0] is RecipientStatus.DAMAGED

    asyncio.run(run())


def test_a_copy_for_another_domain_opens_by_its_own_message() -> None:
    async def run() -> None:
        store = await sealed(MemoryStore())
        one = await hosted(store)
        two = (await store.records.put_domain(domain("beta.example"), NOTED)).id
        file = await spooled(store, LARGE)
        copy = await store.reception.duplicate(file)
        await store.reception.hold([message(1, one, file=file), message(2, two, file=copy)])
        for number in (1, 2):
            found = await store.queue.message(number)
            assert found is not None
            assert found.file is not None
            assert await content(store.content.read_file(found.file)) == LARGE
            assert await store.content.prove_file(found.file, 10) == LARGE[:10]
            assert await store.content.read_beginning(found.file, 70_000) == LARGE[:70_000]

    asyncio.run(run())


def test_a_file_of_other_content_with_a_right_checksum_is_set_apart() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        id_ = await hosted(store)
        await hold_large(store, 1, id_)
        await hold_large(store, 2, id_)
        mail = below.state.mail
        other = mail[2].message.file
        mail[1].message = mail[1].message._replace(file=other)
        found = await store.queue.message(1)
        assert found is not None
        assert found.file is not None
        with pytest.raises(Damaged):
            await content(store.content.read_file(found.file))
        assert (await statuses(store))[1][0] is RecipientStatus.DAMAGED
        with pytest.raises(Damaged):
            await store.content.prove_file(found.file, 10)
        with pytest.raises(Damaged):
            await store.content.read_beginning(found.file, 10)

    asyncio.run(run())


def test_numbers_grow_also_while_a_key_is_made(tmp_path: Path) -> None:
    async def run() -> None:
        below = await open_sqlite(tmp_path / "data")
        store = await seal_store(below, VAULT, key_file="test.key", seals=True)
        one = await hosted(store)
        two = (await store.records.put_domain(domain("beta.example"), NOTED)).id
        await store.reception.hold([message(1, two)])
        await asyncio.gather(
            store.reception.hold([message(2, one)]), store.reception.hold([message(3, two)])
        )
        assert await heads(store, one) == {2: CONTENT}
        assert await heads(store, two) == dict.fromkeys((1, 3), CONTENT)
        await store.close()

    asyncio.run(run())


# --- reports


async def give_up(store: SealedStore | MemoryStore, domain_id: int, *numbers: int) -> None:
    """Hold messages, and bounce them."""
    await store.reception.hold([message(number, domain_id) for number in numbers])
    bounces = [MessageBounce(one, (ANNA,), report(one, domain_id)) for one in numbers]
    assert await store.queue.bounce(bounces, NOTED) == list(numbers)


async def due(store: SealedStore, now: float = 99.0) -> dict[int, bytes]:
    found = await store.reports.due_reports(now, 10, 1 << 20)
    assert not any(one.is_sealed for one in found)
    return {one.number: one.content for one in found}


def kept(below: MemoryStore) -> list[Report]:
    return [one for _, one in below.state.reports.all()]


def told(*abouts: int) -> dict[int, bytes]:
    """Return the content of reports on these messages, by number."""
    return {number: report(about, 1).content for number, about in enumerate(abouts, 1)}


def test_reports_are_sealed_however_they_come() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        id_ = await hosted(store)
        await give_up(store, id_, 1)
        dsn = DsnRequest(Ret.HDRS, "", {ANNA: RecipientRequest(Notify.DELAY)})
        late = NewMessage(2, id_, Envelope("bob@example.org", (ANNA,), dsn=dsn), 2.0, CONTENT)
        await store.reception.hold([late])
        await store.reports.tell_of_delay([2], [report(2, id_, action=ReportAction.DELAYED)])
        drain = await opened(store, id_, 0.0, 60.0)
        relayed = report(2, id_, action=ReportAction.RELAYED)
        await store.handover.settle(drain, [delivered(2)], [relayed], 5.0)
        assert [one.is_sealed for one in kept(below)] == [True] * 3
        assert not [one for one in kept(below) if b"report on" in one.content]
        assert await due(store) == told(1, 2, 2)
        assert [await store.reports.report(number) for number in (1, 9)] == [
            replace(kept(below)[0], content=b"report on 1\r\n", is_sealed=False),
            None,
        ]

    asyncio.run(run())


def test_reports_that_waited_before_are_sent_and_so_are_sealed_ones_after() -> None:
    async def run() -> None:
        below = MemoryStore()
        id_ = await hosted(below)
        await give_up(below, id_, 1)
        await give_up(await sealed(below), id_, 2)
        plain_again = await sealed(below, seals=False)
        await give_up(plain_again, id_, 3)
        assert [one.is_sealed for one in kept(below)] == [False, True, False]
        assert await due(plain_again) == told(1, 2, 3)
        sizes = [one.size for one in await plain_again.reports.list_reports(ReportFilter())]
        assert sizes == [len(one) for one in told(1, 2, 3).values()]

    asyncio.run(run())


def test_a_report_that_does_not_open_is_deferred_and_delays_no_other() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        await give_up(store, await hosted(store), 1, 2, 3)
        contents = [one.content for one in kept(below)]
        swapped = {1: (contents[0], contents[1]), 2: (contents[1], contents[0])}
        assert await below.reports.replace_report_contents(swapped) == 2
        [first] = await store.reports.due_reports(99.0, 1, 1 << 20)
        assert first.number == 3
        assert await due(store) == {3: report(3, 1).content}
        listed = await store.reports.list_reports(ReportFilter())
        assert [(one.next_attempt_at, one.reply) for one in listed] == [
            (3699.0, "its seal is broken"),
            (3699.0, "its seal is broken"),
            (50.0, ""),
        ]
        with pytest.raises(Damaged, match="report 1: its seal is broken"):
            await store.reports.report(1)

    asyncio.run(run())


def test_another_key_file_is_refused_where_only_reports_are_sealed() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        id_ = await hosted(store)
        await give_up(store, id_, 1)
        await store.records.remove_domain(id_, NOTED)
        assert not below.state.data_keys
        with pytest.raises(StoreMismatched, match="sealed under another key file"):
            await sealed(below, Vault(b"\1" * 32))
        assert await due(await sealed(below, Vault(b"\1" * 32 + bytes(32)))) == told(1)

    asyncio.run(run())


def test_a_damaged_report_keeps_no_server_with_the_right_key_from_its_start() -> None:
    async def run() -> None:
        below = MemoryStore()
        store = await sealed(below)
        await give_up(store, await hosted(store), 1)
        [one] = kept(below)
        await below.reports.replace_report_contents({1: (one.content, bytes(60))})
        assert await due(await sealed(below)) == {}

    asyncio.run(run())
