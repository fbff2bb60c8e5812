"""The peaks of many domains are stored at once."""

from typing import Any

import pytest

from restante.queue.held_peak import HeldAmount, HeldPeak, PeakPlace
from restante.store.postgres import PostgresStore, postgres_peaks
from restante.store.postgres.postgres_transaction import PostgresTransaction

pytestmark = pytest.mark.usefixtures("runner")


async def test_many_peaks_are_one_statement(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement for each took minutes with 100,000 domains, and a server must end sooner."""
    fetch, recorded = PostgresTransaction.fetch, []

    async def noted(self: PostgresTransaction, statement: str, *values: Any) -> Any:
        recorded.extend([statement] if statement == postgres_peaks._RECORD else [])
        return await fetch(self, statement, *values)

    monkeypatch.setattr(PostgresTransaction, "fetch", noted)
    places = [PeakPlace(number, "alpha", 60, 0) for number in range(1000, 0, -1)]
    await store.peaks.record_peaks([HeldPeak(place, HeldAmount(2, 20)) for place in places])
    again = [HeldPeak(places[0], HeldAmount(1, 30)), HeldPeak(places[0], HeldAmount(3, 10))]
    await store.peaks.record_peaks(again)
    await store.peaks.record_peaks([])
    assert len(recorded) == 2
    [found] = await store.peaks.peaks(1000, "alpha", 60, 0, 60)
    assert found == HeldPeak(places[0], HeldAmount(3, 30))
