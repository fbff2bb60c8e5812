"""The peaks port of the store in memory."""

from collections.abc import Sequence

from restante.queue.held_peak import HeldPeak, PeakPlace, larger
from restante.store.memory.memory_state import MemoryState


class MemoryPeaks:
    """A `PeakStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def record_peaks(self, peaks: Sequence[HeldPeak]) -> None:
        """Add peaks; the larger number and size of a slot stay."""
        for place, held in peaks:
            known = self._state.peaks.get(place)
            self._state.peaks[place] = held if known is None else larger(known, held)

    async def peaks(
        self, domain_id: int, account: str, width: int, since: float, until: float
    ) -> list[HeldPeak]:
        """Return the peaks of a time in the order of time."""
        return [
            HeldPeak(place, held)
            for place, held in sorted(self._state.peaks.items())
            if place[:3] == (domain_id, account, width) and since <= place.at < until
        ]

    async def trim_peaks(self, width: int, before: float, limit: int) -> int:
        """Remove old peaks."""
        peaks = self._state.peaks
        return self._remove(
            [place for place in peaks if place.width == width and place.at < before], limit
        )

    async def forget_peaks(self, accounts: Sequence[str], limit: int) -> int:
        """Remove the peaks of other accounts."""
        peaks = self._state.peaks
        return self._remove([place for place in peaks if place.account not in accounts], limit)

    def _remove(self, places: Sequence[PeakPlace], limit: int) -> int:
        for place in places[:limit]:
            del self._state.peaks[place]
        return len(places[:limit])
