"""Damage to the write-ahead log: mail that was acknowledged is never missing in silence."""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from restante.store.sqlite import log_remains, open_sqlite
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.sqlite.salvage import salvage
from restante.store.sqlite.store_check import check_directory
from restante.store.store_errors import StoreDamaged, StoreUnusable
from tests.contract.making import all_held, hosted, message

pytestmark = pytest.mark.usefixtures("runner")

HEADER: Final = 32  # octets
FRAME: Final = 24 + PAGE_SIZE
TRANSACTIONS: Final = 6


async def left_by_a_crash(directory: Path) -> Path:
    """Return a copy of a store in use, with several transactions in its log alone."""
    store = await open_sqlite(directory)
    domain_id = await hosted(store)
    for number in range(1, TRANSACTIONS + 1):
        await store.reception.hold([message(number, domain_id)])
    copy = directory.with_name("copy")
    shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("lock", "*-shm", "*.sock"))
    await store.close()
    return copy


def no_progress(*_: int) -> None:
    pass


def log_of(directory: Path) -> Path:
    return directory / "restante.db-wal"


def commits(log: bytes | bytearray) -> list[int]:
    """Return where the frames begin that end a transaction."""
    starts = range(HEADER, len(log) - FRAME + 1, FRAME)
    return [at for at in starts if int.from_bytes(log[at + 4 : at + 8])]


def without_header(log: bytearray) -> None:
    log[:HEADER] = bytes(HEADER)


def with_another_salt(log: bytearray) -> None:
    log[17] ^= 1


def zeroed(log: bytearray) -> None:
    log[:] = bytes(len(log))


def without_a_page(log: bytearray) -> None:
    at = commits(log)[-4]
    log[at + 24 : at + FRAME] = bytes(PAGE_SIZE)


def without_a_frame(log: bytearray) -> None:
    at = commits(log)[-4]
    log[at : at + FRAME] = bytes(FRAME)


def sound(_log: bytearray) -> None:
    pass


def torn(log: bytearray) -> None:
    """As a power cut leaves the last transaction."""
    log[commits(log)[-1] + 100] ^= 1


def cut_off(log: bytearray) -> None:
    del log[-100:]


def with_remains(log: bytearray) -> None:
    """Frames behind a torn one that belong to no chain: an earlier power cut left them."""
    for at in commits(log)[-3:]:
        log[at + 16] ^= 1  # its checksum, on which that of the next frame is built


def changed(directory: Path, change: Callable[[bytearray], None]) -> None:
    log = bytearray(log_of(directory).read_bytes())
    change(log)
    log_of(directory).write_bytes(log)


@pytest.mark.parametrize(
    "change", [without_header, with_another_salt, zeroed, without_a_page, without_a_frame]
)
async def test_a_log_that_lost_transactions_is_refused_at_every_start(
    directory: Path, change: Callable[[bytearray], None]
) -> None:
    copy = await left_by_a_crash(directory)
    changed(copy, change)
    for _ in range(2):
        with pytest.raises(StoreDamaged, match="its log"):
            await open_sqlite(copy)
    report = await asyncio.to_thread(check_directory, copy, no_progress)
    assert "log" in [finding.kind for finding in report.findings]


async def test_a_log_that_the_disk_does_not_return_is_damage_that_salvage_goes_past(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> str:
        raise OSError(errno.EIO, "Input/output error")

    copy = await left_by_a_crash(directory)
    monkeypatch.setattr(log_remains, "_is_header", failing)
    with pytest.raises(StoreDamaged, match="its log cannot be read: Input/output error"):
        await open_sqlite(copy)
    report = await asyncio.to_thread(salvage, copy, copy.with_name("new"), no_progress)
    assert report.messages == TRANSACTIONS
    assert "cannot be read" in report.lost[0].text


async def test_a_log_that_this_user_may_not_read_is_no_damage(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object) -> str:
        raise OSError(errno.EACCES, "Permission denied")

    copy = await left_by_a_crash(directory)
    monkeypatch.setattr(log_remains, "_is_header", refusing)
    with pytest.raises(StoreUnusable, match="Permission denied"):
        await open_sqlite(copy)


async def test_salvage_names_what_the_log_lost(directory: Path) -> None:
    copy = await left_by_a_crash(directory)
    changed(copy, without_a_page)
    report = await asyncio.to_thread(salvage, copy, copy.with_name("new"), no_progress)
    assert "log" in [finding.kind for finding in report.lost]


@pytest.mark.parametrize(
    ("change", "held"),
    [(sound, 6), (torn, 5), (cut_off, 5), (with_remains, 3)],
)
async def test_the_remains_of_a_power_cut_are_no_damage(
    directory: Path, change: Callable[[bytearray], None], held: int
) -> None:
    copy = await left_by_a_crash(directory)
    changed(copy, change)
    store = await open_sqlite(copy)
    assert len(await all_held(store, 1)) == held
    await store.close()
