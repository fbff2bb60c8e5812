"""The octets written for each octet held, counted below SQLite: the log and the checkpoints."""

import asyncio
from typing import Final

import pytest

from restante.store.sqlite import SqliteStore
from tests.contract.making import ANNA, delivered, hosted, message, opened
from tests.store.watched_disk import WatchedDisk

BATCH: Final = 50
BATCHES: Final = 40
OCTETS: Final = 4096


@pytest.fixture
def domain_id(runner: asyncio.Runner, store: SqliteStore) -> int:
    """A hosted domain."""
    return runner.run(hosted(store))


async def test_held_mail_is_written_to_the_log_less_than_twice_over(
    store: SqliteStore, disk: WatchedDisk, domain_id: int
) -> None:
    """4 KiB messages in batches of fifty, as in busy sessions: whole pages, three to each."""
    disk.octets.clear()
    for batch in range(BATCHES):
        numbers = range(batch * BATCH + 1, (batch + 1) * BATCH + 1)
        await store.reception.hold(
            [message(number, domain_id, ANNA, head=b"x" * OCTETS) for number in numbers]
        )
    held = BATCH * BATCHES * OCTETS
    assert disk.octets["wal"] < 1.9 * held
    assert disk.octets["db"] < 1.9 * held


async def test_mail_that_leaves_costs_its_own_pages_once_more(
    store: SqliteStore, disk: WatchedDisk, domain_id: int
) -> None:
    """A freed page goes into the log too: SQLite omits those only without one.

    The rest is the history, about 100 octets of each message, and the map of pages that can be
    moved (free_space.py): 3 %.
    """
    numbers = list(range(1, BATCH * BATCHES + 1))
    await store.reception.hold(
        [message(number, domain_id, ANNA, head=b"x" * OCTETS) for number in numbers]
    )
    drain = await opened(store, domain_id, 1.0, 60.0)
    disk.octets.clear()
    for start in range(0, len(numbers), BATCH):
        await store.handover.settle(
            drain, [delivered(number, ANNA) for number in numbers[start : start + BATCH]]
        )
    assert disk.octets["wal"] < 1.6 * len(numbers) * OCTETS
