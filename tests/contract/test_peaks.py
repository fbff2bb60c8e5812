"""The most that domains held in slots of time."""

from restante.queue.held_peak import NARROW, WIDE, HeldAmount, HeldPeak, PeakPlace
from restante.store.interface import Store


def peak(
    at: int, messages: int = 1, octets: int = 10, place: tuple[int, str, int] = (1, "alpha", NARROW)
) -> HeldPeak:
    return HeldPeak(PeakPlace(*place, at), HeldAmount(messages, octets))


async def seen(store: Store, since: float = 0, until: float = 1e9) -> list[HeldPeak]:
    return await store.peaks.peaks(1, "alpha", NARROW, since, until)


async def test_an_empty_store_has_no_peaks(store: Store) -> None:
    assert await seen(store) == []
    assert await store.peaks.trim_peaks(NARROW, 1e9, 10) == 0
    assert await store.peaks.forget_peaks([], 10) == 0
    await store.peaks.record_peaks([])


async def test_peaks_are_returned_in_the_order_of_time(store: Store) -> None:
    await store.peaks.record_peaks([peak(1200), peak(600)])
    await store.peaks.record_peaks([peak(1800)])
    assert await seen(store) == [peak(600), peak(1200), peak(1800)]
    assert await seen(store, 600, 1800) == [peak(600), peak(1200)]


async def test_the_larger_number_and_size_of_a_slot_stay(store: Store) -> None:
    await store.peaks.record_peaks([peak(600, 5, 100)])
    await store.peaks.record_peaks([peak(600, 3, 300), peak(600, 4, 4)])
    assert await seen(store) == [peak(600, 5, 300)]


async def test_domains_accounts_and_widths_are_apart(store: Store) -> None:
    others = [
        peak(600, place=(2, "alpha", NARROW)),
        peak(600, place=(1, "beta", NARROW)),
        peak(600, place=(1, "alpha", WIDE)),
    ]
    await store.peaks.record_peaks([*others, peak(600)])
    assert await seen(store) == [peak(600)]
    assert await store.peaks.peaks(1, "alpha", WIDE, 0, 1e9) == [others[2]]


async def test_old_peaks_of_a_width_are_removed_in_slices(store: Store) -> None:
    wide = peak(0, place=(1, "alpha", WIDE))
    await store.peaks.record_peaks([wide, *(peak(at * 600) for at in range(5))])
    assert await store.peaks.trim_peaks(NARROW, 1800, 2) == 2
    assert await store.peaks.trim_peaks(NARROW, 1800, 2) == 1
    assert await seen(store) == [peak(1800), peak(2400)]
    assert await store.peaks.peaks(1, "alpha", WIDE, 0, 1e9) == [wide]


async def test_peaks_of_removed_accounts_are_forgotten(store: Store) -> None:
    gone = (1, "gone", NARROW)
    await store.peaks.record_peaks([peak(600), peak(600, place=gone), peak(0, place=gone)])
    assert await store.peaks.forget_peaks(["alpha"], 1) == 1
    assert await store.peaks.forget_peaks(["alpha"], 9) == 1
    assert await seen(store) == [peak(600)]
