"""A copy of the store as at one moment, made while it serves."""

import asyncio
import errno
import os
from pathlib import Path
from unittest import mock

import pytest

from restante.store.sqlite import SqliteStore, backup, open_sqlite
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.store_errors import StoreError, StoreUnusable, TargetUnusable
from restante.store.upkeep_store import BackupCopy
from tests.contract.making import (
    CONTENT,
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
from tests.store.watched_disk import WatchedDisk


async def restored_numbers(directory: Path) -> list[int]:
    """Open a copy and read all of it."""
    assert SqliteCare(directory).check(lambda _done, _of: None).findings == []
    store = await open_sqlite(directory)
    [domain] = (await store.records.directory()).domains.values()
    for held in await all_held(store, domain.id):
        if held.file:
            assert len(await content(store.content.read_file(held.file))) == held.file.size
    numbers = await held_numbers(store, domain.id)
    await store.close()
    return numbers


async def test_a_copy_has_everything_and_is_a_store(store: SqliteStore, tmp_path: Path) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    await store.reception.hold([message(3, domain_id, file=await spooled(store, b"x" * 100_000))])
    made = await store.upkeep.backup(tmp_path / "copy")
    assert made == BackupCopy(3, 3 * len(CONTENT) + 100_000, 1)
    assert await restored_numbers(tmp_path / "copy") == [1, 2, 3]


async def test_a_directory_that_people_must_make_is_told_so(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TargetUnusable) as missing:
        await store.upkeep.backup(tmp_path / "none" / "copy")
    assert f"{tmp_path}/none is not there; as root, run `install -d -m 0700" in str(missing.value)
    assert "ReadWritePaths=" in str(missing.value)
    for code in (errno.EACCES, errno.EROFS):
        refusal = OSError(code, os.strerror(code), str(tmp_path / "copy"))
        monkeypatch.setattr(Path, "mkdir", mock.Mock(side_effect=refusal))
        with pytest.raises(TargetUnusable, match=r"may not write there \(.*\); name a directory"):
            await store.upkeep.backup(tmp_path / "copy")


async def test_mail_that_leaves_while_it_is_copied_is_whole_in_the_copy(
    store: SqliteStore, tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are of one moment; their files must not go before they have been copied."""
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.reception.hold([message(1, domain_id, file=await spooled(store, b"x" * 100_000))])
    loop = asyncio.get_running_loop()
    copy_files = backup._copy_files

    def after_it_left(*arguments: object) -> None:
        asyncio.run_coroutine_threadsafe(
            store.handover.settle(drain, [delivered(1)]), loop
        ).result()
        copy_files(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(backup, "_copy_files", after_it_left)
    await store.upkeep.backup(tmp_path / "copy")
    assert store.figures.usage(domain_id).messages == 0
    assert await restored_numbers(tmp_path / "copy") == [1]
    await store.close()
    assert list((directory / "content").glob("*/*")) == []


async def test_another_file_system_gets_copies(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, file=await spooled(store, b"x" * 100_000))])

    def no_link(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    await store.upkeep.backup(tmp_path / "copy")
    assert await restored_numbers(tmp_path / "copy") == [1]
    assert {
        path.stat().st_mode & 0o777 for path in (tmp_path / "copy").rglob("*") if path.is_file()
    } == {0o600}


async def test_nothing_is_overwritten(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(StoreError, match="the directory is not empty"):
        await store.upkeep.backup(tmp_path)


async def test_a_place_that_cannot_be_written_is_named(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/copy: Not a directory"):
        await store.upkeep.backup(tmp_path / "file" / "copy")


async def test_a_copy_that_was_broken_off_is_no_store(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, file=await spooled(store, b"x" * 100_000))])

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(backup, "copy_file", fails)
    with pytest.raises(StoreError, match="Input/output error"):
        await store.upkeep.backup(tmp_path / "copy")
    assert not (tmp_path / "copy" / "restante.db").exists()
    with pytest.raises(StoreUnusable, match="interrupted"):
        await open_sqlite(tmp_path / "copy")


async def test_a_failing_disk_is_a_store_error(
    store: SqliteStore, disk: WatchedDisk, tmp_path: Path
) -> None:
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.upkeep.backup(tmp_path / "copy")


async def test_keys_beside_the_database_are_in_the_copy_for_their_owner_alone(
    store: SqliteStore, directory: Path, tmp_path: Path
) -> None:
    keys = directory / "acme"
    keys.mkdir()
    (keys / "a.key.pem").write_bytes(b"key")
    (keys / "a.pem.new").write_bytes(b"a part")
    (keys / "b.pem").symlink_to(tmp_path / "of-somebody-else")
    (tmp_path / "of-somebody-else").write_bytes(b"other")
    await store.upkeep.backup(tmp_path / "copy")
    [copied] = (tmp_path / "copy/acme").iterdir()
    assert (copied.name, copied.read_bytes()) == ("a.key.pem", b"key")
    assert copied.stat().st_mode & 0o777 == 0o600
    assert copied.parent.stat().st_mode & 0o777 == 0o700
    assert not copied.samefile(keys / "a.key.pem")


async def test_without_its_keys_a_copy_is_no_store(
    store: SqliteStore, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "acme").mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "copy_beside", full)
    with pytest.raises(StoreError, match="No space"):
        await store.upkeep.backup(tmp_path / "copy")
    assert not (tmp_path / "copy/restante.db").exists()
