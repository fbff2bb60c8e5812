"""The store on a failing disk: failed syncs, no room, damage."""

import asyncio
import errno
import os
from pathlib import Path

import apsw
import pytest

from restante.queue.recipient_status import RecipientStatus
from restante.store.content_store import DAMAGED
from restante.store.figure_store import NO_USAGE
from restante.store.queue_store import QueueFilter
from restante.store.sqlite import SqliteStore, open_sqlite, writer
from restante.store.store_errors import Damaged, StoreError
from tests.contract.making import (
    ANNA,
    BERT,
    NOTED,
    all_held,
    content,
    delivered,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    spooled,
)
from tests.store.damage_report import DamageReport
from tests.store.watched_disk import WatchedDisk, failed_sync


async def one_by_one(store: SqliteStore, domain_id: int, *numbers: int) -> None:
    """Hold each in its own group. Later work is done before the next but one is answered."""
    for number in numbers:
        await hold(store, domain_id, number)


# --- a failed sync is final


async def test_after_a_failed_sync_nothing_is_believed(
    store: SqliteStore, disk: WatchedDisk
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    drain = await opened(store, domain_id, 0.0, 60.0)
    disk.fails_to("sync", "wal", failed_sync())
    with pytest.raises(StoreError):
        await hold(store, domain_id, 1)
    disk.is_sound()
    for call in (
        hold(store, domain_id, 2),
        store.handover.settle(drain, [delivered(1)]),
        all_held(store, domain_id),
        store.records.directory(),
        store.reception.duplicate(file),
        store.reception.open_spool().write(b"more"),
        content(store.content.read_file(file)),
        store.content.read_beginning(file, 1),
    ):
        with pytest.raises(StoreError, match="reopened"):
            await call
    assert "reopened" in store.upkeep.failure


async def test_a_failed_sync_fails_all_that_waited_for_it(
    store: SqliteStore, disk: WatchedDisk
) -> None:
    domain_id = await hosted(store)
    disk.fails_to("sync", "wal", failed_sync())
    calls = [asyncio.ensure_future(hold(store, domain_id, number)) for number in range(1, 11)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {StoreError}
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_mail_held_before_a_failed_sync_is_there_after_reopening(
    store: SqliteStore, disk: WatchedDisk, directory: Path
) -> None:
    """Mail in flight may be there too. Its sender got 451 and sends it again, so it may double."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    disk.fails_to("sync", "wal", failed_sync())
    with pytest.raises(StoreError):
        await hold(store, domain_id, 3)
    disk.is_sound()
    await store.close()
    again = await open_sqlite(directory)
    assert set(await held_numbers(again, domain_id)) >= {1, 2}
    assert again.upkeep.failure == ""
    await hold(again, domain_id, 4)
    await again.close()


async def test_mail_in_flight_at_a_failed_sync_keeps_its_content(
    store: SqliteStore, disk: WatchedDisk, directory: Path, damage: DamageReport
) -> None:
    """Its row may reappear: discarding its file after a StoreError would leave half a message."""
    domain_id = await hosted(store)
    spool = store.reception.open_spool()
    await spool.write(b"content")
    file = await spool.close()
    disk.fails_to("sync", "wal", failed_sync())
    with pytest.raises(StoreError):
        await store.reception.hold([message(1, domain_id, file=file)])
    spool.discard()
    disk.is_sound()
    await store.close()
    again = await open_sqlite(directory, on_damage=damage)
    [held] = await all_held(again, domain_id)  # it was written; only nobody could be sure
    assert held.file
    assert await content(again.content.read_file(held.file)) == b"content"
    assert damage.numbers == []
    await again.close()


async def test_a_checkpoint_that_cannot_be_synced_is_final_too(
    store: SqliteStore, disk: WatchedDisk, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the log were reused after it, the only good copy of its content would be overwritten."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    monkeypatch.setattr(writer, "CHECKPOINT_OCTETS", 1)
    disk.fails_to("sync", "db", failed_sync())
    with pytest.raises(StoreError, match="checkpoint"):
        await one_by_one(store, domain_id, 2, 3, 4)
    disk.is_sound()
    await store.close()
    again = await open_sqlite(directory)
    assert 1 in await held_numbers(again, domain_id)
    await again.close()


async def test_closing_after_a_failed_sync_does_not_checkpoint(
    store: SqliteStore, disk: WatchedDisk
) -> None:
    domain_id = await hosted(store)
    disk.fails_to("sync", "wal", failed_sync())
    with pytest.raises(StoreError):
        await hold(store, domain_id, 1)
    disk.syncs.clear()
    disk.is_sound()
    await store.close()
    assert disk.syncs == []


# --- want of room is not


async def test_a_full_disk_is_an_error_and_not_the_end(
    store: SqliteStore, disk: WatchedDisk
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    disk.fails_to("write", "wal", apsw.FullError("disk full"))
    with pytest.raises(StoreError, match="full"):
        await hold(store, domain_id, 2)
    assert store.figures.usage(domain_id).messages == 1
    disk.is_sound()
    await hold(store, domain_id, 3)
    assert await held_numbers(store, domain_id) == [1, 3]
    assert store.figures.usage(domain_id).messages == 2
    assert store.figures.usage_of_account("alpha") == store.figures.usage(domain_id)


async def test_a_full_disk_fails_the_whole_group(store: SqliteStore, disk: WatchedDisk) -> None:
    domain_id = await hosted(store)
    disk.fails_to("write", "wal", apsw.FullError("disk full"))
    calls = [asyncio.ensure_future(hold(store, domain_id, number)) for number in range(1, 11)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {str(result) for result in results} == {"the disk is full"}


async def test_a_checkpoint_that_finds_no_room_is_made_later(
    store: SqliteStore, disk: WatchedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    monkeypatch.setattr(writer, "CHECKPOINT_OCTETS", 1)
    disk.fails_to("write", "db", apsw.FullError("disk full"))
    await hold(store, domain_id, 1)
    await hold(store, domain_id, 2)
    disk.is_sound()
    await hold(store, domain_id, 3)
    assert await held_numbers(store, domain_id) == [1, 2, 3]
    assert store.upkeep.failure == ""


# --- content files


@pytest.mark.parametrize(
    ("number", "is_final"), [(errno.EIO, True), (errno.ENOSPC, False), (errno.EDQUOT, False)]
)
async def test_content_that_cannot_be_synced(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, number: int, *, is_final: bool
) -> None:
    spool = store.reception.open_spool()
    await spool.write(b"content")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", _raiser(number))
        with pytest.raises(StoreError):
            await spool.close()
    spool.discard()
    assert bool(store.upkeep.failure) == is_final


async def test_content_that_finds_no_room_can_be_discarded(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    spool = store.reception.open_spool()
    await spool.write(b"content")
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", _raiser(errno.ENOSPC))
        with pytest.raises(StoreError, match="No space"):
            await spool.write(b"more")
    spool.discard()
    await store.close()
    assert list((directory / "content").glob("*/*")) == []


def _raiser(number: int) -> object:
    def fail(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


# --- damage


def spoil(directory: Path, statement: str) -> None:
    """Change rows behind the store's back, as a bad disk would."""
    connection = apsw.Connection(str(directory / "restante.db"))
    connection.execute(statement)
    connection.close()


async def test_a_damaged_message_is_never_handed_out_and_keeps_no_other_back(
    store: SqliteStore, directory: Path, damage: DamageReport
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3, 4)
    spoil(directory, "UPDATE message SET head = x'00' WHERE number IN (1, 2, 4)")
    assert [one.number for one in await store.handover.held(domain_id, 0, 1, 0)] == [3]
    assert damage.numbers == [1, 2]
    assert await held_numbers(store, domain_id) == [3]
    with pytest.raises(StoreError, match="checksum"):
        await store.queue.message(4)
    assert damage.numbers == [1, 2, 4]  # told once, when it is marked


async def damaged_with(store: SqliteStore) -> dict[int, list[str]]:
    """The refused messages, and the reply of each recipient."""
    listed = await store.queue.list_queue(QueueFilter(status=RecipientStatus.DAMAGED))
    return {one.number: [recipient.reply for recipient in one.recipients] for one in listed}


async def test_damaged_messages_are_parked_where_people_look(
    store: SqliteStore, directory: Path
) -> None:
    """And counted as refused, so that no release believes that it could hand them over."""
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    await store.reception.hold(
        [message(1, domain_id, ANNA, BERT), message(2, domain_id, file=file), message(3, domain_id)]
    )
    spoil(directory, "UPDATE message SET head = x'00' WHERE number = 1")
    (directory / "content" / file.name).write_bytes(b"CONTENT")
    assert await held_numbers(store, domain_id) == [2, 3]
    with pytest.raises(Damaged, match="checksum"):
        await content(store.content.read_file(file))
    assert await held_numbers(store, domain_id) == [3]
    parked = await damaged_with(store)
    assert {number: len(replies) for number, replies in parked.items()} == {1: 2, 2: 1}
    assert all(reply.startswith(DAMAGED) for replies in parked.values() for reply in replies)
    assert store.figures.usage(domain_id).refused == 2


async def test_mended_content_can_be_held_again(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    await store.reception.hold([message(1, domain_id, file=file)])
    path = directory / "content" / file.name
    path.rename(directory / "elsewhere")
    with pytest.raises(Damaged, match="missing"):
        await content(store.content.read_file(file))
    (directory / "elsewhere").rename(path)
    assert await store.queue.release_refused([1], NOTED) == 1
    assert await held_numbers(store, domain_id) == [1]
    assert await content(store.content.read_file(file)) == b"content"


async def test_a_damaged_message_can_be_deleted(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    spoil(directory, "UPDATE message SET head = x'00'")
    assert await store.queue.delete([1], NOTED) == 1
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_damaged_content_is_not_read_to_its_end(store: SqliteStore, directory: Path) -> None:
    file = await spooled(store, b"x" * 300_000, b"y" * 300_000)
    path = directory / "content" / file.name
    octets = bytearray(path.read_bytes())
    octets[400_000] ^= 1
    path.write_bytes(octets)
    with pytest.raises(StoreError, match="checksum"):
        await content(store.content.read_file(file))


async def test_missing_content_is_reported_when_the_store_is_opened(
    store: SqliteStore, directory: Path, damage: DamageReport
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    await store.reception.hold([message(1, domain_id, file=file)])
    await store.close()
    (directory / "content" / file.name).unlink()
    again = await open_sqlite(directory, on_damage=damage)
    assert damage.numbers == [1]
    assert list(await damaged_with(again)) == [1]
    assert await again.queue.delete([1], NOTED) == 1
    await again.close()
