"""The numbered changes of records: complete, in order, or too old to be known."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from restante.store.choice import open_store
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.memory import MemoryStore
from restante.store.postgres import open_postgres
from restante.store.record_store import CHANGES_KEPT
from restante.store.sealing.sealed_store import SealedStore
from restante.store.sqlite import opening
from restante.store.store_errors import Conflict
from restante.tenancy.model import Directory
from restante.tenancy.notice import Channel, ChannelTransport, NoticeKind
from restante.tenancy.numbered_change import NumberedChange, RecordKind, after_changes
from restante.tenancy.policy import Policy, RecipientPolicy
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.contract.making import NOTED, account, domain, hosted, login
from tests.postgres_cluster import ALONE

CHANNEL = Channel(
    0,
    "alpha",
    "hook",
    ChannelTransport.WEBHOOK,
    "https://a.example/",
    b"\1",
    frozenset({NoticeKind.MAIL_AFTER_QUIET}),
    2.0,
)


async def changes(store: Store, number: int) -> list[NumberedChange]:
    """Return the changes after a number that is not too old."""
    found = await store.records.changes_since(number)
    assert found is not None
    return list(found)


async def test_without_a_change_there_is_nothing_new(store: Store) -> None:
    await hosted(store)
    now = (await store.records.directory()).change_number
    assert await changes(store, now) == []


async def test_each_kind_of_change_has_a_number_and_its_record(store: Store) -> None:
    alpha, alice = account(), login()
    await store.records.put_account(alpha, NOTED)
    await store.records.put_login(alice, NOTED)
    hosted_domain = await store.records.put_domain(domain(), NOTED)
    channel = await store.records.put_channel(CHANNEL, NOTED)
    await store.recipients.change_list(hosted_domain.id, ["anna"], [], NOTED)
    assert await changes(store, 0) == [
        NumberedChange(1, RecordKind.ACCOUNT, "alpha", alpha),
        NumberedChange(2, RecordKind.LOGIN, "alice", alice),
        NumberedChange(3, RecordKind.DOMAIN, str(hosted_domain.id), hosted_domain),
        NumberedChange(4, RecordKind.CHANNEL, str(channel.id), channel),
        NumberedChange(5, RecordKind.RECIPIENTS, str(hosted_domain.id)),
    ]


async def test_a_removal_has_no_record(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.put_login(login(), NOTED)
    channel = await store.records.put_channel(CHANNEL, NOTED)
    before = (await store.records.directory()).change_number
    await store.records.remove_channel(channel.id, NOTED)
    await store.records.remove_login("alice", NOTED)
    await store.records.remove_domain(domain_id, NOTED)
    await store.records.remove_account("alpha", NOTED)
    assert [(one.kind, one.key, one.record) for one in await changes(store, before)] == [
        (RecordKind.CHANNEL, str(channel.id), None),
        (RecordKind.LOGIN, "alice", None),
        (RecordKind.DOMAIN, str(domain_id), None),
        (RecordKind.ACCOUNT, "alpha", None),
    ]


async def test_of_several_changes_of_a_record_the_last_is_told(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_account(account("beta"), NOTED)
    noted = replace(account(), note="moved")
    await store.records.put_account(noted, NOTED)
    assert [(one.number, one.key) for one in await changes(store, 0)] == [(2, "beta"), (3, "alpha")]
    assert (await changes(store, 0))[-1].record == noted


async def test_the_changes_applied_give_the_directory(store: Store) -> None:
    """Also for a domain whose name is another's now, and for one that came and was removed."""
    first = await hosted(store)
    await store.records.put_login(login(), NOTED)
    before = await store.records.directory()
    await store.records.remove_domain(first, NOTED)
    await store.records.put_domain(domain(), NOTED)
    second = await store.records.put_domain(domain("beta.example"), NOTED)
    await store.records.remove_domain(second.id, NOTED)
    await store.records.put_login(replace(login(), password_hash="$new$"), NOTED)
    await store.records.put_channel(CHANNEL, NOTED)
    now = await store.records.directory()
    assert after_changes(before, await changes(store, before.change_number)) == now
    assert after_changes(Directory(), await changes(store, 0)) == now


async def test_a_change_of_nothing_has_no_number(store: Store) -> None:
    domain_id = await hosted(store)
    now = (await store.records.directory()).change_number
    await store.records.remove_login("nobody", NOTED)
    fact = Recipient("anna", RecipientSource.DRAIN, is_there=True, at=1.0)
    await store.recipients.learn(domain_id, [fact])
    assert await changes(store, now) == []


async def test_too_old_a_number_is_answered_by_none(store: Store) -> None:
    for nth in range(CHANGES_KEPT + 1):
        await store.records.put_account(replace(account(), note=str(nth)), NOTED)
    assert await store.records.changes_since(0) is None
    assert [one.number for one in await changes(store, 1)] == [CHANGES_KEPT + 1]


async def test_a_number_of_another_store_is_answered_by_none(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    assert await store.records.changes_since(2) is None


async def test_a_change_is_heard_before_its_author_is_told(store: Store) -> None:
    heard: list[str] = []
    store.records.on_change(lambda: heard.append("a change"))
    await store.records.put_account(account(), NOTED)
    assert heard == ["a change"]
    with pytest.raises(Conflict):
        await store.records.put_login(login(of="nobody"), NOTED)
    assert heard == ["a change"]
    await store.apart().records.put_login(login(), NOTED)
    assert len(heard) > 1


# --- two processes on one store


@pytest.fixture
def other(
    request: pytest.FixtureRequest,
    store: Store,
    implementation: str,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Store]:
    """The same store, opened again. The lock that forbids that on SQLite is left out."""
    if implementation == "memory":
        below = store._below if isinstance(store, SealedStore) else store
        assert isinstance(below, MemoryStore)
        yield MemoryStore(below.state)
        return
    other: Store
    if implementation == "postgres":
        other = runner.run(open_postgres(request.getfixturevalue("postgres_url"), ALONE))
    else:
        monkeypatch.setattr(opening, "DirectoryLock", _NoLock)
        other = runner.run(open_store(f"sqlite://{request.getfixturevalue('directory')}"))
    yield other
    runner.run(other.close())


class _NoLock:
    def __init__(self, _directory: object) -> None:
        pass

    def release(self) -> None:
        pass


async def test_a_change_reaches_another_process(store: Store, other: Store) -> None:
    directory = LiveDirectory(other.records)
    await directory.refresh()
    told: list[int] = []
    directory.on_change(lambda: told.append(directory.now.change_number))
    await hosted(store)
    assert not directory.now.domains
    await directory.refresh()
    assert directory.now == await store.records.directory()
    await directory.refresh()
    assert told == [2]  # once


async def test_a_process_that_is_too_far_behind_reads_everything(
    store: Store, other: Store
) -> None:
    directory = LiveDirectory(other.records)
    await directory.refresh()
    numbered: list[object] = []
    directory.on_numbered(numbered.append)
    for nth in range(CHANGES_KEPT + 1):
        await store.records.put_account(replace(account(), note=str(nth)), NOTED)
    await directory.refresh()
    assert directory.now == await store.records.directory()
    assert numbered == [None]


async def test_a_list_that_another_process_changed_is_read_again(
    store: Store, other: Store
) -> None:
    directory = LiveDirectory(other.records)
    await directory.refresh()
    recipients = LiveRecipients(other.recipients, directory)
    await recipients.load()

    async def listed(domain_id: int) -> set[str] | None:
        await directory.refresh()
        await recipients.catch_up()
        book = recipients.of(domain_id)
        return None if book is None else set(book.listed)

    domain_id = await hosted(store)
    await store.recipients.change_list(domain_id, ["anna"], [], NOTED)
    assert await listed(domain_id) is None  # its mail is taken for everybody
    present = (await store.records.directory()).domains["alpha.example"]
    by_list = replace(present, policy=Policy(recipients=RecipientPolicy.LIST))
    await store.records.put_domain(by_list, NOTED)
    assert await listed(domain_id) == {"anna"}
    await store.recipients.change_list(domain_id, ["bert"], ["anna"], NOTED)
    assert await listed(domain_id) == {"bert"}
    await store.records.remove_domain(domain_id, NOTED)
    assert await listed(domain_id) is None
