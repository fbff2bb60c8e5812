"""How much each domain holds is noted over time."""

import asyncio
from collections.abc import Iterable

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.queue.held_peak import KEPT, NARROW, WIDE, HeldAmount, HeldPeak, PeakPlace
from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth
from restante.retention import held_recorder
from restante.retention.held_recorder import LOOK_SECONDS, STORE_LOOKS, HeldRecorder, HeldSources
from restante.retention.use_ledger import UseLedger
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.peak_store import PeakStore
from restante.telemetry.work_word import WorkWord
from tests.contract.making import hold, hosted
from tests.log_lines import Lines

START = 1_000_000_800.0


class Held:
    """A recorder beside a store, at a clock that is moved by hand."""

    def __init__(self, store: MemoryStore, directory: LiveDirectory) -> None:
        self.store = store
        self.at = START
        sources = HeldSources(store.figures, store.peaks, store.uses, store.duties, directory)
        self.recorder = HeldRecorder(
            sources,
            UseLedger(store.uses, directory, lambda: self.at),
            Rounds(Lines(), WorkWord.HELD_MAIL),
            Clocks(lambda: self.at, lambda: self.at),
        )

    async def look(self, times: int) -> None:
        for _ in range(times):
            assert await self.recorder.look() == LOOK_SECONDS
            self.at += LOOK_SECONDS

    def peaks(self, width: int = NARROW) -> list[tuple[str, int, int]]:
        """Return account, seconds from the start and messages of the stored peaks."""
        return [
            (place.account, int(place.at - START), held.messages)
            for place, held in sorted(self.store.state.peaks.items())
            if place.width == width
        ]


async def beside_a_store(messages: int) -> Held:
    store = MemoryStore()
    domain = await hosted(store)
    directory = LiveDirectory(store.records)
    await directory.refresh()
    await hold(store, domain, *range(1, messages + 1))
    return Held(store, directory)


def test_held_mail_is_noted_every_five_minutes() -> None:
    async def story() -> None:
        held = await beside_a_store(3)
        await held.look(STORE_LOOKS - 1)
        assert held.peaks() == []
        await held.look(1)
        assert held.peaks() == [("alpha", 0, 3)]
        assert held.peaks(WIDE) == [("alpha", 0, 3)]

    asyncio.run(story())


def test_a_domain_that_holds_nothing_takes_no_room() -> None:
    async def story() -> None:
        held = await beside_a_store(0)
        await held.look(3 * STORE_LOOKS)
        assert held.peaks() == []

    asyncio.run(story())


def test_each_slot_has_its_peak() -> None:
    async def story() -> None:
        held = await beside_a_store(1)
        await held.look(4 * STORE_LOOKS)
        assert held.peaks() == [("alpha", 0, 1), ("alpha", NARROW, 1)]
        assert held.peaks(WIDE) == [("alpha", 0, 1)]

    asyncio.run(story())


def test_old_peaks_end() -> None:
    async def story() -> None:
        held = await beside_a_store(0)
        for width, seconds in KEPT.items():
            times = [START - seconds, START - seconds - WIDE]
            await note(held.store.peaks, "alpha", *times, widths=[width])
        await held.look(1)
        assert held.peaks() == [("alpha", int(-KEPT[NARROW]), 1)]
        assert held.peaks(WIDE) == [("alpha", int(-KEPT[WIDE]), 1)]

    asyncio.run(story())


def test_peaks_of_a_removed_account_end_in_slices() -> None:
    async def story() -> None:
        held = await beside_a_store(0)
        await note(held.store.peaks, "gone", *(START + 600 * n for n in range(held_recorder.SLICE)))
        await note(held.store.peaks, "alpha", START)
        await held.look(1)
        assert held.peaks() == [("alpha", 0, 1)]

    asyncio.run(story())


def test_stored_octets_are_counted_by_their_time() -> None:
    async def story() -> None:
        held = await beside_a_store(3)
        octets = held.store.figures.usage_of_account("alpha").octets
        await held.look(2 * STORE_LOOKS)
        [use] = held.store.state.uses.values()
        assert use.octet_seconds == octets * LOOK_SECONDS * (2 * STORE_LOOKS - 1)
        assert (use.received, use.delivered) == (0, 0)

    asyncio.run(story())


def test_uses_of_years_ago_end() -> None:
    async def story() -> None:
        held = await beside_a_store(0)
        for month in (199901, 200109):
            await held.store.uses.add_uses([MonthlyUse(UseMonth("gone", 1, month), AccountUse(1))])
        await held.look(1)
        assert [of.month for of in held.store.state.uses] == [200109]

    asyncio.run(story())


async def note(
    peaks: PeakStore, account: str, *times: float, widths: Iterable[int] = tuple(KEPT)
) -> None:
    """Record a message of an account at times."""
    for width in widths:
        places = [PeakPlace(1, account, width, int(at)) for at in times]
        await peaks.record_peaks([HeldPeak(place, HeldAmount(1, 1)) for place in places])
