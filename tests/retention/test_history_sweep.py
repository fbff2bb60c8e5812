"""The history stays within its days and octets, and loses domains that were removed."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from restante.queue.history import HistoryEntry, HistoryFilter
from restante.queue.recipient_status import RecipientMove
from restante.retention import history_sweep
from restante.retention.history_settings import HistorySettings
from restante.retention.history_sweep import SWEEP_SECONDS, HistorySweep
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.release_store import ReleaseRecord
from restante.telemetry.events import HistoryTrimmed
from restante.tenancy.policy import DAY
from restante.tenancy.release_result import ReleaseResult
from tests.contract.making import hosted
from tests.log_lines import Lines

ENTRY = HistoryEntry(
    id=0,
    at=0.0,
    outcome=RecipientMove.DELIVERED,
    domain_id=1,
    number=1,
    received_at=0.0,
    octets=100,
    reverse_path="a@example.org",
    forward_path="b@alpha.example",
    client="",
    message_id="",
    reply="",
    drain=1,
)
OCTETS = 60 + len("a@example.org") + len("b@alpha.example")


class Kept:
    """A store with entries of days 0 to 9, and the sweep over it on day 10."""

    def __init__(self, **settings: Any) -> None:
        self.store = MemoryStore()
        self.store.state.history = [replace(ENTRY, id=day + 1, at=day * DAY) for day in range(10)]
        self.directory = LiveDirectory(self.store.records)
        self.log = Lines()
        self.settings = HistorySettings().model_copy(update=settings)  # smaller than is allowed

    def sweep(self) -> list[int]:
        """Sweep; return the days that are left, the newest first."""
        return asyncio.run(self._sweep())

    async def _sweep(self) -> list[int]:
        await hosted(self.store)
        await self.directory.refresh()
        sweep = HistorySweep(
            history=self.store.history,
            releases=self.store.releases,
            duties=self.store.duties,
            directory=self.directory,
            settings=lambda: self.settings,
            log=self.log,
            ages=lambda: 10 * DAY,
        )
        assert await sweep.sweep() == SWEEP_SECONDS
        entries = await self.store.history.history(HistoryFilter())
        return [round(entry.at / DAY) for entry in entries]


def test_nothing_is_over() -> None:
    assert len(Kept().sweep()) == 10


def test_entries_end_with_their_days() -> None:
    kept = Kept(days=3)
    assert kept.sweep() == [9, 8, 7]
    assert kept.log.lines == []


def test_the_oldest_go_if_there_are_too_many_and_the_log_says_so() -> None:
    kept = Kept(octets=4 * OCTETS)
    assert kept.sweep() == [9, 8, 7, 6]
    assert kept.log.of(HistoryTrimmed) == [
        {"entries": 6, "octets": 4 * OCTETS, "oldest_at": 6 * DAY}
    ]


def test_entries_of_removed_domains_go() -> None:
    kept = Kept()
    kept.store.state.history[3:] = [replace(ENTRY, id=99, domain_id=77, at=9 * DAY)]
    assert kept.sweep() == [2, 1, 0]


def test_more_than_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_sweep, "SLICE", 2)
    kept = Kept(days=3)
    kept.store.state.history += [replace(ENTRY, id=100 + n, domain_id=77) for n in range(5)]
    assert kept.sweep() == [9, 8, 7]


def test_requests_to_release_end_by_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_sweep, "SLICE", 2)
    kept = Kept(release_days=3)
    for day in range(10):
        record = ReleaseRecord(
            int(day * DAY * 1e6),
            day * DAY,
            "operator",
            "",
            "#alpha",
            "alpha",
            "",
            ReleaseResult.GRANTED,
            "",
            1,
        )
        kept.store.state.releases[record.id] = record
    kept.sweep()
    assert [one.at / DAY for one in kept.store.state.releases.values()] == [7, 8, 9]
