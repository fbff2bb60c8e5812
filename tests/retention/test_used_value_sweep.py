"""A used value is kept until nobody can use it again, and no longer."""

import asyncio

import pytest

from restante.background.rounds import Rounds
from restante.retention import used_value_sweep
from restante.retention.used_value_sweep import SLACK, SWEEP_SECONDS, UsedValueSweep
from restante.store.memory import MemoryStore
from restante.telemetry.work_word import WorkWord
from tests.log_lines import Lines

NOW = 1_760_000_000.0


def test_values_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(used_value_sweep, "SLICE", 2)

    async def story() -> None:
        store = MemoryStore()
        for number in range(5):
            await store.used.use(bytes([number]), NOW - SLACK - 1 - number)
        await store.used.use(b"slack", NOW - 1)
        await store.used.use(b"good", NOW + 1)
        rounds = Rounds(Lines(), WorkWord.USED_VALUES)
        sweep = UsedValueSweep(store.used, store.duties, rounds, lambda: NOW)
        assert await sweep.sweep() == SWEEP_SECONDS
        assert set(store.state.used) == {b"slack", b"good"}

    asyncio.run(story())
