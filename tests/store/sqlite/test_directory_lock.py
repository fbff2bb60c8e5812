"""One process at a time has a data directory."""

import os
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.sqlite.directory_lock import DirectoryLock, lock_without_server
from restante.store.store_errors import StoreUnusable


async def test_a_directory_in_use_is_refused_with_the_name_of_the_process(
    store: SqliteStore, directory: Path
) -> None:
    with pytest.raises(StoreUnusable, match=f"in use by process {os.getpid()}"):
        await open_sqlite(directory)


def test_a_directory_in_use_by_a_server_is_refused_with_its_socket(tmp_path: Path) -> None:
    held = DirectoryLock(tmp_path)
    held.tell_socket(Path("/run/a b/c.sock"))
    with pytest.raises(
        StoreUnusable, match=r"talk to it with `restante --socket '/run/a b/c\.sock'"
    ):
        DirectoryLock(tmp_path)
    held.release()
    again = DirectoryLock(tmp_path)
    with pytest.raises(StoreUnusable, match=f"by process {os.getpid()}: talk to it through its"):
        DirectoryLock(tmp_path)
    again.release()


def test_work_without_a_server_is_told_to_stop_it_and_not_to_talk_to_it(tmp_path: Path) -> None:
    held = DirectoryLock(tmp_path)
    with pytest.raises(StoreUnusable) as refused:
        lock_without_server(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} is in use by process {os.getpid()}: stop the server first, then run this again"
    )
    held.release()
    lock_without_server(tmp_path).release()


async def test_a_directory_left_by_a_process_that_died_is_free(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    (directory / "lock").write_text("999999\n")
    await (await open_sqlite(directory)).close()
