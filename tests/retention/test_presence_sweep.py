"""Changes of destinations are kept for their days, and end with their account."""

import asyncio

from restante.delivery.presence_settings import PresenceSettings
from restante.queue.presence import DestinationState, PresenceChange
from restante.retention import presence_sweep
from restante.retention.presence_sweep import SWEEP_SECONDS, PresenceSweep
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.tenancy.policy import DAY
from tests.contract.making import hosted
from tests.log_lines import Lines


def swept(days: int, *changes: PresenceChange) -> list[float]:
    """Sweep on day 500; return the days of the changes that are left."""

    async def story() -> list[float]:
        store = MemoryStore()
        await hosted(store)
        directory = LiveDirectory(store.records)
        await directory.refresh()
        await store.presence.record_presence(changes)
        sweep = PresenceSweep(
            presence=store.presence,
            duties=store.duties,
            directory=directory,
            settings=lambda: PresenceSettings(days=days),
            log=Lines(),
            ages=lambda: 500 * DAY,
        )
        assert await sweep.sweep() == SWEEP_SECONDS
        return [change.at / DAY for change in store.state.presence.values()]

    return asyncio.run(story())


def change(
    day: int, account: str = "alpha", seen: DestinationState = DestinationState.UP
) -> PresenceChange:
    return PresenceChange(account, "mail.example:25", day * DAY, seen)


def test_changes_end_with_their_days() -> None:
    changes = [change(day) for day in (1, 99, 101, 499)]
    assert swept(400, *changes) == [101, 499]
    assert swept(10, *changes) == [499]


def test_a_state_that_lasts_for_years_stays() -> None:
    assert swept(10, change(1)) == [1]


def test_the_changes_of_a_removed_account_end_with_it() -> None:
    assert swept(400, change(499, "gone"), change(499)) == [499]


def test_many_are_removed_in_slices() -> None:
    assert presence_sweep.SLICE < 3000
    assert swept(10, *[change(day % 400) for day in range(4500)]) == [4499 % 400]
