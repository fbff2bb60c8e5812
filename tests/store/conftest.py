"""A store on SQLite, on a disk that can be watched and made to fail."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore, open_sqlite
from tests.contract.running import directory, loop_kind, pytest_pyfunc_call, runner
from tests.store.damage_report import DamageReport
from tests.store.watched_disk import WatchedDisk

__all__ = ["damage", "directory", "disk", "loop_kind", "pytest_pyfunc_call", "runner", "store"]


@pytest.fixture
def disk() -> Iterator[WatchedDisk]:
    """The disk of the store's database."""
    disk = WatchedDisk()
    yield disk
    disk.unregister()


@pytest.fixture
def damage() -> DamageReport:
    """The store's reports of damaged mail."""
    return DamageReport()


@pytest.fixture
def store(
    runner: asyncio.Runner, directory: Path, disk: WatchedDisk, damage: DamageReport
) -> Iterator[SqliteStore]:
    """An empty store."""
    store = runner.run(open_sqlite(directory, on_damage=damage, vfs=disk.name))
    yield store
    disk.is_sound()
    runner.run(store.close())
