"""The room that is left where a store is."""

import shutil
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore
from restante.store.store_errors import StoreError


async def test_it_is_the_room_of_the_disk(store: SqliteStore, directory: Path) -> None:
    free = store.upkeep.free_octets()
    assert 0 < free < shutil.disk_usage(directory).total


async def test_where_the_directory_has_gone_that_is_an_error(
    store: SqliteStore, directory: Path
) -> None:
    directory.rename(directory.with_name("elsewhere"))  # noqa: ASYNC240
    with pytest.raises(StoreError, match="No such file or directory"):
        store.upkeep.free_octets()


@pytest.mark.parametrize("name", ["restante.db", "restante.db-wal"])
async def test_a_database_that_was_removed_is_away_until_it_is_back(
    store: SqliteStore, directory: Path, name: str
) -> None:
    file, elsewhere = directory / name, directory / "elsewhere"
    store.upkeep.free_octets()
    assert store.upkeep.absence == ""
    file.rename(elsewhere)
    store.upkeep.free_octets()
    assert store.upkeep.absence.startswith(f"{name} was removed or replaced while in use")
    file.touch()
    store.upkeep.free_octets()
    assert store.upkeep.absence
    elsewhere.rename(file)
    store.upkeep.free_octets()
    assert store.upkeep.absence == ""
