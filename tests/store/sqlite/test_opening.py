"""Opening a store: a new one, one that cannot be opened, one that a crash has left."""

import asyncio
import shutil
import stat
from pathlib import Path

import pytest

from restante.store.figure_store import DomainUsage
from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.store_errors import StoreDamaged, StoreUnusable
from tests.contract.making import (
    CONTENT,
    NOTED,
    all_held,
    content,
    delivered,
    held_numbers,
    hold,
    hosted,
    last_number,
    message,
    opened,
    refused,
    spooled,
    taken_over,
)

# --- permissions


def modes(directory: Path) -> dict[bool, set[int]]:
    """The permissions of all directories (True) and of all files (False)."""
    found: dict[bool, set[int]] = {True: set(), False: set()}
    for path in (directory, *directory.rglob("*")):
        found[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    return found


async def test_everything_is_the_users_own(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, file=await spooled(store, b"content"))])
    assert modes(directory) == {True: {0o700}, False: {0o600}}


async def test_directories_that_are_missing_are_made_the_users_own(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    await (await open_sqlite(tmp_path / "one" / "two")).close()
    assert modes(tmp_path / "one") == {True: {0o700}, False: {0o600}}


async def test_a_failed_opening_lets_go_of_the_directory(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    path = directory / "restante.db"
    sound = path.read_bytes()
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnusable, match="not a database"):
        await open_sqlite(directory)
    path.write_bytes(sound)
    await (await open_sqlite(directory)).close()


async def test_a_directory_that_cannot_be_made_is_said_in_one_line(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match=r"file.*may write there"):
        await open_sqlite(tmp_path / "file" / "store")


# --- after a crash


async def crashed(store: SqliteStore, directory: Path) -> Path:
    """Copy the disk while the store is open, as a crash at this moment would leave it."""
    copy = directory.with_name("crashed")
    await asyncio.to_thread(shutil.copytree, directory, copy)
    return copy


async def test_completed_changes_are_there_after_a_crash(
    store: SqliteStore, directory: Path
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    await hold(store, domain_id, 1, 2, 3)
    await store.reception.hold([message(4, domain_id, file=file)])
    drain = await opened(store, domain_id, 5.0, 60.0)
    await store.handover.settle(drain, [delivered(1), refused(2)])
    again = await open_sqlite(await crashed(store, directory))
    assert [one.number for one in await all_held(again, domain_id)] == [3, 4]
    assert await content(again.content.read_file(file)) == b"content"
    assert (
        again.figures.usage(domain_id)
        == store.figures.usage(domain_id)
        == DomainUsage(3, 3 * len(CONTENT) + 7, refused=1)
    )
    assert (
        again.figures.usage_of_account("alpha")
        == store.figures.usage_of_account("alpha")
        == again.figures.usage(domain_id)
    )
    assert last_number(again) == 4
    assert again.handover.open_drains() == [drain]
    assert await again.records.directory() == await store.records.directory()
    await again.close()


async def test_a_drain_found_after_a_crash_can_be_taken_up(
    store: SqliteStore, directory: Path
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await opened(store, domain_id, 5.0, 60.0)
    again = await open_sqlite(await crashed(store, directory))
    [left] = again.handover.open_drains()
    drain = await taken_over(again, left)
    assert drain.number > left.number
    await again.handover.settle(drain, [delivered(1)])
    await again.close()


async def test_the_numbers_are_known_after_everything_was_handed_over(
    store: SqliteStore, directory: Path
) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await hold(store, alpha, 5)
    await hold(store, beta, 9)
    await store.queue.delete([5, 9], NOTED)
    await store.records.remove_domain(beta, NOTED)
    await store.close()
    again = await open_sqlite(directory)
    assert last_number(again) == 9
    assert await hosted(again, "gamma.example") not in (alpha, beta)
    await again.close()


def remove_logs(directory: Path) -> None:
    for path in directory.glob("restante.db-*"):
        path.unlink()


async def test_a_clean_end_leaves_all_in_one_file(store: SqliteStore, directory: Path) -> None:
    """So that a copy of restante.db and content/ is a backup."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await store.close()
    remove_logs(directory)
    again = await open_sqlite(directory)
    assert await held_numbers(again, domain_id) == [1]
    await again.close()


# --- orphans


def files(directory: Path) -> set[str]:
    return {f"{path.parent.name}/{path.name}" for path in (directory / "content").glob("*/*")}


async def test_content_that_no_message_names_is_swept(store: SqliteStore, directory: Path) -> None:
    """A crash between a file and its row, at the beginning or the end, leaves an orphan file."""
    domain_id = await hosted(store)
    kept, orphan = await spooled(store, b"kept"), await spooled(store, b"orphan")
    begun = store.reception.open_spool()
    await begun.write(b"never finished")
    await store.reception.hold([message(1, domain_id, file=kept)])
    copy = await crashed(store, directory)
    assert len(files(copy)) == 3
    again = await open_sqlite(copy)
    assert files(copy) == {kept.name}
    assert orphan.name not in files(copy)
    await again.close()


async def test_content_without_a_database_is_not_taken_for_orphans(
    store: SqliteStore, directory: Path
) -> None:
    await spooled(store, b"somebody's mail")
    await store.close()
    (directory / "restante.db").unlink()
    with pytest.raises(StoreDamaged, match=r"restante\.db is missing or empty"):
        await open_sqlite(directory)
    assert len(files(directory)) == 1


async def test_a_message_gone_takes_its_file_along(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 0.0, 60.0)
    settled, settled_in_part, deleted, stays = [await spooled(store, bytes(10)) for _ in range(4)]
    await store.reception.hold(
        [
            message(1, domain_id, file=settled),
            message(2, domain_id, "anna@alpha.example", "bert@alpha.example", file=settled_in_part),
            message(3, domain_id, file=deleted),
            message(4, domain_id, file=stays),
        ]
    )
    await store.handover.settle(drain, [delivered(1), delivered(2, "anna@alpha.example")])
    await store.handover.settle(drain, [delivered(2, "bert@alpha.example")])
    await store.queue.delete([3], NOTED)
    await store.close()
    assert files(directory) == {stays.name}


async def test_discarded_content_leaves_no_file(store: SqliteStore, directory: Path) -> None:
    begun, finished, untouched = (
        store.reception.open_spool(),
        store.reception.open_spool(),
        store.reception.open_spool(),
    )
    await begun.write(b"begun")
    await finished.write(b"finished")
    await finished.close()
    cancelled = store.reception.open_spool()
    writing = asyncio.ensure_future(cancelled.write(b"cancelled"))
    await asyncio.sleep(0)
    writing.cancel()
    for spool in (begun, finished, untouched, cancelled, begun):
        spool.discard()
    await asyncio.gather(writing, return_exceptions=True)
    await store.close()
    assert files(directory) == set()


async def test_held_numbers_are_in_order_after_reopening(
    store: SqliteStore, directory: Path
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 300, 3))
    await store.close()
    again = await open_sqlite(directory)
    assert await held_numbers(again, domain_id) == list(range(1, 300, 3))
    await again.close()
