"""A sealed store on SQLite: nothing on the disk is readable, and care of it goes on as before."""

import asyncio
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from restante.store.queue_store import MessageBounce
from restante.store.sealing.sealed_store import SealedStore, seal_store
from restante.store.sqlite import open_sqlite
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import Vault
from tests.contract.making import (
    ANNA,
    NOTED,
    all_held,
    content,
    hosted,
    message,
    report,
    spooled,
)

VAULT = Vault(bytes(32))
SECRET = b"the-secret-of-this-test"
SMALL = b"Received: by mx2\r\nSubject: " + SECRET + b"\r\n\r\n"
LARGE = SECRET * 20_000
REPORTED = b"From: postmaster\r\n\r\nSubject: " + SECRET + b"\r\n"


async def opened(directory: Path, vault: Vault = VAULT) -> SealedStore:
    store = await open_sqlite(directory)
    try:
        return await seal_store(store, vault, key_file="/etc/restante.key", seals=True)
    except StoreMismatched:
        await store.close()
        raise


async def filled(directory: Path) -> SealedStore:
    store = await opened(directory)
    id_ = await hosted(store)
    file = await spooled(store, LARGE)
    await store.reception.hold([message(1, id_, head=SMALL)])
    await store.reception.hold([message(2, id_, head=SMALL, file=file)])
    await store.reception.hold([message(3, id_, head=SMALL)])
    told = replace(report(3, id_), content=REPORTED)
    await store.queue.bounce([MessageBounce(3, (ANNA,), told)], NOTED)
    return store


async def read(store: SealedStore) -> None:
    """Prove that all mail is readable."""
    small, large = await store.queue.message(1), await store.queue.message(2)
    assert small is not None
    assert large is not None
    assert large.file is not None
    assert (small.head, large.head) == (SMALL, SMALL)
    assert await content(store.content.read_file(large.file)) == LARGE
    assert await all_held(store, small.domain_id) == [small, large]
    [waiting] = await store.reports.due_reports(1e12, 10, 1 << 20)
    assert waiting.content == REPORTED


def names_with(directory: Path, octets: bytes) -> list[str]:
    return [
        path.name for path in directory.rglob("*") if path.is_file() and octets in path.read_bytes()
    ]


def test_no_content_is_readable_on_the_disk_neither_held_nor_on_its_way(tmp_path: Path) -> None:
    async def run() -> None:
        store = await filled(tmp_path / "data")
        spool = store.reception.open_spool()
        await spool.write(LARGE)
        assert len(list((tmp_path / "data" / "content").glob("*/*"))) == 2
        assert not names_with(tmp_path, SECRET)
        spool.discard()
        await store.close()
        assert not names_with(tmp_path, SECRET)

    asyncio.run(run())


def test_mail_is_readable_after_a_restart_and_apart(tmp_path: Path) -> None:
    async def run() -> None:
        await (await filled(tmp_path / "data")).close()
        store = await opened(tmp_path / "data")
        await read(store.apart())
        await store.close()

    asyncio.run(run())


def test_another_key_file_is_refused_with_its_name(tmp_path: Path) -> None:
    async def run() -> None:
        await (await filled(tmp_path / "data")).close()
        with pytest.raises(StoreMismatched, match=r"/etc/restante\.key: the mail of this store is"):
            await opened(tmp_path / "data", Vault(b"\1" * 32))

    asyncio.run(run())


def test_sealed_mail_is_checked_backed_up_and_salvaged_without_the_key(tmp_path: Path) -> None:
    async def run() -> None:
        store = await filled(tmp_path / "data")
        await store.upkeep.backup(tmp_path / "backup")
        await store.close()
        care = SqliteCare(tmp_path / "data")
        checked = care.check(lambda *_: None)
        assert checked.is_sound
        assert checked.octets == 2 * len(SMALL) + len(LARGE)
        assert care.salvage(tmp_path / "salvaged", lambda _: None).is_whole
        for copy in ("backup", "salvaged"):
            store = await opened(tmp_path / copy)
            await read(store)
            await store.close()

    asyncio.run(run())


@pytest.mark.parametrize("lost", ["data_key", "data_key_copy"])
def test_one_lost_table_of_keys_loses_no_mail(tmp_path: Path, lost: str) -> None:
    async def run() -> None:
        await (await filled(tmp_path / "data")).close()
        connection = apsw.Connection(str(tmp_path / "data" / "restante.db"))
        connection.execute("DROP TRIGGER data_key_less; DROP TRIGGER data_key_again")
        connection.execute(f"UPDATE {lost} SET sealed = zeroblob(100)")
        connection.close()
        store = await opened(tmp_path / "data")
        await read(store)
        await store.close()

    asyncio.run(run())


def test_the_key_of_a_removed_domain_is_nowhere_in_the_database(tmp_path: Path) -> None:
    async def run() -> None:
        store = await filled(tmp_path / "data")
        [(id_, [key])] = (await store.keys.data_keys_after(0, 10)).items()
        await store.close()
        assert names_with(tmp_path / "data", key)
        store = await opened(tmp_path / "data")
        await store.queue.delete([1, 2], NOTED)
        await store.records.remove_domain(id_, NOTED)
        await store.close()
        assert not names_with(tmp_path / "data", key)

    asyncio.run(run())
