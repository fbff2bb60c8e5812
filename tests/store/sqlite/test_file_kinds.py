"""A wrong kind of file in the place of one of the store is named, and is no damage."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.store_errors import StoreMisplaced

FILES = ["lock", "restante.db", "restante.db-wal", "restante.db-shm", "ballast"]


@pytest.mark.parametrize("name", FILES)
async def test_a_directory_in_place_of_a_file_is_named(
    store: SqliteStore, directory: Path, name: str
) -> None:
    await store.close()
    (directory / name).unlink(missing_ok=True)
    (directory / name).mkdir()
    text = f"{directory / name}: is a directory, not a file; put back the store's own, or name"
    with pytest.raises(StoreMisplaced, match=re.escape(text)):
        await open_sqlite(directory)


async def test_a_named_pipe_in_place_of_the_database_holds_up_nobody(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    (directory / "restante.db").unlink()
    os.mkfifo(directory / "restante.db")
    with pytest.raises(StoreMisplaced, match=r"restante\.db: is a named pipe, not a file"):
        await open_sqlite(directory)


async def test_a_file_in_place_of_the_content_is_named(store: SqliteStore, directory: Path) -> None:
    await store.close()
    content = directory / "content"
    content.rename(directory / "away")
    content.touch()
    with pytest.raises(StoreMisplaced, match="content: is a file, not a directory"):
        await open_sqlite(directory)


async def test_a_file_in_place_of_the_store_is_named(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StoreMisplaced, match="data: is a file, not a directory; name another"):
        await open_sqlite(tmp_path / "data")


async def test_links_to_the_right_kinds_are_followed(store: SqliteStore, directory: Path) -> None:
    await store.close()
    for name in ("restante.db", "content"):
        (directory / name).rename(directory.parent / f"moved-{name}")
        (directory / name).symlink_to(directory.parent / f"moved-{name}")
    await (await open_sqlite(directory)).close()
