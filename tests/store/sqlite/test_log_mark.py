"""A write-ahead log that was removed before a start is noticed; no crash leaves such a sign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.sqlite.log_mark import MARK, LogMark
from restante.store.sqlite.salvage import salvage
from restante.store.sqlite.store_check import check_directory
from restante.store.store_errors import StoreDamaged
from tests.contract.making import all_held
from tests.store.sqlite.test_log_remains import (
    TRANSACTIONS,
    left_by_a_crash,
    log_of,
    no_progress,
)

pytestmark = pytest.mark.usefixtures("runner")

LOSSES = {"removed": Path.unlink, "emptied": lambda log: log.write_bytes(b"")}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_a_start_without_the_log_of_a_crash_is_refused(
    directory: Path, lose: Callable[[Path], object]
) -> None:
    copy = await left_by_a_crash(directory)
    log = log_of(copy).read_bytes()
    lose(log_of(copy))
    text = r"its log restante\.db-wal is missing or empty.*put it back"
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=text):
            await open_sqlite(copy)
    log_of(copy).write_bytes(log)
    store = await open_sqlite(copy)
    assert len(await all_held(store, 1)) == TRANSACTIONS
    await store.close()


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
async def test_a_check_names_a_missing_log_and_does_not_hide_it(
    directory: Path, lose: Callable[[Path], object]
) -> None:
    copy = await left_by_a_crash(directory)
    lose(log_of(copy))
    found = check_directory(copy, no_progress).findings
    assert [(one.kind, "is missing or empty" in one.text) for one in found][:1] == [("log", True)]
    with pytest.raises(StoreDamaged, match="is missing or empty"):
        await open_sqlite(copy)


async def test_a_start_without_the_mark_accepts_the_loss(directory: Path) -> None:
    copy = await left_by_a_crash(directory)
    log_of(copy).unlink()
    (copy / MARK).unlink()
    await (await open_sqlite(copy)).close()


async def test_the_log_may_be_removed_after_an_orderly_stop(
    store: SqliteStore, directory: Path
) -> None:
    assert (directory / MARK).exists()
    await store.close()
    assert not (directory / MARK).exists()
    log_of(directory).unlink()
    await (await open_sqlite(directory)).close()


async def test_a_crash_before_the_first_change_leaves_a_log(directory: Path) -> None:
    await (await open_sqlite(directory)).close()
    store = await open_sqlite(directory)
    assert log_of(directory).stat().st_size > 0
    assert LogMark(directory / "restante.db").lost == ""
    await store.close()


async def test_a_log_that_could_not_be_emptied_is_expected_again(directory: Path) -> None:
    store = await open_sqlite(directory)
    with LogMark(directory / "restante.db").lifted():
        assert not (directory / MARK).exists()
    assert (directory / MARK).exists()
    await store.close()


async def test_salvage_names_a_missing_log(store: SqliteStore, directory: Path) -> None:
    await store.close()
    log_of(directory).unlink()
    (directory / MARK).touch()
    lost = salvage(directory, directory.with_name("new"), no_progress).lost
    assert [(one.kind, "is missing or empty" in one.text) for one in lost] == [("log", True)]
