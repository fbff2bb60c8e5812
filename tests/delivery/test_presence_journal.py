"""The changes of destinations, on their way to the store."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from restante.delivery import presence_journal
from restante.delivery.presence_journal import NOT_PROBED, PresenceJournal
from restante.queue.presence import DestinationState, PresenceChange
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreError
from restante.telemetry.events import StoreFailed
from tests.log_lines import Lines

HOST = "mail.example:25"


class Kept:
    """A journal over a store that may fail."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.log = Lines()
        self.tasks: list[asyncio.Task[None]] = []
        self.is_failing = False
        self._record = self.store.presence.record_presence
        self.store.presence.record_presence = self.record  # type: ignore[method-assign]
        self.journal = PresenceJournal(self.store.presence, self.log, self.spawn)

    def spawn(self, work: object) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work))  # type: ignore[arg-type]
        return self.tasks[-1]

    async def record(self, changes: Sequence[PresenceChange]) -> None:
        if self.is_failing:
            raise StoreError("disk full")
        await self._record(changes)

    async def written(self) -> list[PresenceChange]:
        await asyncio.gather(*self.tasks)
        return list(self.store.state.presence.values())


def told(story: Callable[[Kept], Awaitable[None]]) -> None:
    async def main() -> None:
        await story(Kept())

    asyncio.run(main())


def test_a_change_is_kept_once_for_each_account() -> None:
    async def story(kept: Kept) -> None:
        for at in (1.0, 2.0, 3.0):
            kept.journal.note(HOST, ["alpha", "beta"], DestinationState.UP, at)
        kept.journal.note(HOST, ["alpha", "beta"], DestinationState.AWAY, 4.0, "refused")
        assert await kept.written() == [
            PresenceChange("alpha", HOST, 1.0, DestinationState.UP),
            PresenceChange("beta", HOST, 1.0, DestinationState.UP),
            PresenceChange("alpha", HOST, 4.0, DestinationState.AWAY, "refused"),
            PresenceChange("beta", HOST, 4.0, DestinationState.AWAY, "refused"),
        ]

    told(story)


def test_an_account_that_comes_later_has_no_past() -> None:
    async def story(kept: Kept) -> None:
        kept.journal.note(HOST, ["alpha"], DestinationState.UP, 1.0)
        kept.journal.note(HOST, ["alpha", "beta"], DestinationState.UP, 9.0)
        assert [(one.account, one.at) for one in await kept.written()] == [
            ("alpha", 1.0),
            ("beta", 9.0),
        ]

    told(story)


def test_a_restart_knows_the_last_state() -> None:
    async def story(kept: Kept) -> None:
        kept.journal.note(HOST, ["alpha"], DestinationState.AWAY, 1.0, "refused")
        before = await kept.written()
        again = Kept(kept.store)
        await again.journal.load()
        assert again.journal.last(HOST) == before[0]
        again.journal.note(HOST, ["alpha"], DestinationState.AWAY, 5.0, "refused")
        assert await again.written() == before

    told(story)


def test_a_destination_nobody_probes_any_more_is_forgotten() -> None:
    async def story(kept: Kept) -> None:
        kept.journal.note(HOST, ["alpha", "beta"], DestinationState.UP, 1.0)
        kept.journal.end_others({HOST: frozenset({"beta"})}, 2.0)
        kept.journal.end_others({}, 3.0)
        kept.journal.end_others({}, 4.0)
        assert [(one.account, one.at, one.seen, one.reason) for one in await kept.written()] == [
            ("alpha", 1.0, DestinationState.UP, ""),
            ("beta", 1.0, DestinationState.UP, ""),
            ("alpha", 2.0, DestinationState.UNKNOWN, NOT_PROBED),
            ("beta", 3.0, DestinationState.UNKNOWN, NOT_PROBED),
        ]
        assert kept.journal.last(HOST) is None
        kept.journal.note(HOST, ["alpha"], DestinationState.UP, 5.0)
        assert (await kept.written())[-1].at == 5.0

    told(story)


def test_a_store_that_fails_loses_no_change() -> None:
    async def story(kept: Kept) -> None:
        kept.is_failing = True
        kept.journal.note(HOST, ["alpha"], DestinationState.UP, 1.0)
        assert await kept.written() == []
        kept.is_failing = False
        kept.journal.note(HOST, ["alpha"], DestinationState.UP, 2.0)  # no change, and yet it writes
        assert [one.at for one in await kept.written()] == [1.0]
        assert kept.log.lines[0][0] is StoreFailed
        assert kept.log.lines[0][1]["doing"] == "presence"

    told(story)


def test_changes_that_come_during_a_write_are_written_in_their_order() -> None:
    async def story(kept: Kept) -> None:
        kept.journal.note(HOST, ["alpha"], DestinationState.UP, 1.0)
        await asyncio.sleep(0)
        kept.journal.note(HOST, ["alpha"], DestinationState.AWAY, 2.0)
        kept.journal.note(HOST, ["alpha"], DestinationState.UP, 3.0)
        assert [one.at for one in await kept.written()] == [1.0, 2.0, 3.0]

    told(story)


def test_the_changes_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_journal, "UNWRITTEN_LIMIT", 2)

    async def story(kept: Kept) -> None:
        kept.is_failing = True
        for at, seen in enumerate(
            [DestinationState.UP, DestinationState.AWAY, DestinationState.UP, DestinationState.AWAY]
        ):
            kept.journal.note(HOST, ["alpha"], seen, float(at))
            await kept.written()
        kept.is_failing = False
        kept.journal.write()
        assert [one.at for one in await kept.written()] == [2.0, 3.0]

    told(story)
