"""The newest trusted time is kept in the store, and a leap of the clock is reported once."""

import asyncio
from typing import Any

from restante.background.clocks import Clocks
from restante.retention.age_clock import WAIT_SECONDS, AgeClock
from restante.retention.clock_watch import LOOK_SECONDS, ClockWatch, newest_time
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.telemetry.events import ClockDoubted, ClockTrusted
from restante.tenancy.policy import DAY
from tests.contract.making import hosted
from tests.log_lines import Lines


class Server:
    """Starts on one store."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.wall = self.began = 0.0
        self.monotonic = 5.0

    async def start(self) -> None:
        directory = LiveDirectory(self.store.records)
        await directory.refresh()
        self.log = Lines()
        clocks = Clocks(lambda: self.wall, lambda: self.monotonic)
        known_at = await newest_time(self.store)
        self.ages = AgeClock(known_at, clocks.now, clocks.monotonic)
        self.watch = ClockWatch(self.ages, self.store.retention, directory, self.log, clocks)

    async def run(self, seconds: float) -> list[Any]:
        """Look each minute; return the events."""
        self.log.lines.clear()
        for _ in range(int(seconds // LOOK_SECONDS)):
            assert await self.watch.look() == LOOK_SECONDS
            self.wall += LOOK_SECONDS
            self.monotonic += LOOK_SECONDS
        return [kind for kind, _ in self.log.lines]


async def ready() -> Server:
    server = Server()
    await hosted(server.store)
    server.wall = server.began = await newest_time(server.store) or 0.0
    await server.start()
    assert await server.run(7200) == []
    return server


def test_the_time_is_kept_each_hour_and_a_start_within_a_day_is_even() -> None:
    async def main() -> None:
        server = await ready()
        known = await newest_time(server.store)
        assert known is not None
        assert 0 <= server.wall - known <= 3600
        server.wall += DAY / 2
        await server.start()
        assert await server.run(600) == []

    asyncio.run(main())


def test_a_leap_is_told_once_and_each_start_in_doubt_waits_again() -> None:
    async def main() -> None:
        server = await ready()
        kept = await newest_time(server.store)
        server.wall += 4000 * DAY
        for _ in range(2):
            await server.start()
            assert await server.run(WAIT_SECONDS - 600) == [ClockDoubted]
            assert await newest_time(server.store) == kept
        assert server.ages.now() < server.began + 2 * DAY
        assert await server.run(1200) == [ClockTrusted]
        assert (await newest_time(server.store) or 0.0) > server.began + 4000 * DAY

    asyncio.run(main())


def test_a_leap_while_running_is_told_and_ends_when_the_clock_is_set_right() -> None:
    async def main() -> None:
        server = await ready()
        server.wall -= 3 * DAY
        assert await server.run(600) == [ClockDoubted]
        assert server.log.of(ClockDoubted)[0]["seconds"] == -3 * DAY
        server.wall += 3 * DAY
        assert await server.run(600) == [ClockTrusted]

    asyncio.run(main())


def test_a_store_without_the_mark_has_the_time_of_its_newest_audit_entry() -> None:
    async def main() -> None:
        store = MemoryStore()
        assert await newest_time(store) is None
        await hosted(store)
        [entry] = await store.audit.audit(limit=1)
        assert await newest_time(store) == entry.at

    asyncio.run(main())
