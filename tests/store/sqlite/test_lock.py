"""One process at a time has a data directory."""

import os
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.store_errors import StoreUnusable


async def test_a_directory_in_use_is_refused_with_the_name_of_the_process(
    store: SqliteStore, directory: Path
) -> None:
    with pytest.raises(StoreUnusable, match=f"in use by process {os.getpid()}"):
        await open_sqlite(directory)


async def test_a_directory_left_by_a_process_that_died_is_free(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    (directory / "lock").write_text("999999\n")
    await (await open_sqlite(directory)).close()
