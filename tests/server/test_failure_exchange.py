"""Servers tell each other of failed logins, within bounds."""

import asyncio
from collections.abc import Sequence

import pytest

from restante.request_limits.failed_logins import FailureLedger
from restante.server import failure_exchange
from restante.server.failure_exchange import FailureExchange
from restante.store.failure_store import AgedFailures, FailureChange, NoFailuresElsewhere
from restante.store.store_errors import StoreUnreachable
from restante.telemetry.event_bus import EventBus


class Told:
    """A store that is shared, and keeps what it was told."""

    is_shared = True

    def __init__(self) -> None:
        self.told: list[FailureChange] = []
        self.coming: list[AgedFailures] = []

    async def tell(self, changes: Sequence[FailureChange]) -> None:
        self.told += changes

    async def recent(self) -> list[AgedFailures]:
        coming, self.coming = self.coming, []
        return coming


def exchanged(store: Told) -> tuple[FailureExchange, FailureLedger]:
    exchange = FailureExchange(store, lambda: 1000.0, EventBus())
    return exchange, exchange.share("login", FailureLedger(3, 900.0))


def test_failures_are_told_once() -> None:
    store = Told()
    exchange, ledger = exchanged(store)
    ledger.failed(["alice"], 999.0)
    ledger.failed(["alice"], 999.0)
    for _ in range(2):
        asyncio.run(exchange.take_round())
    [told] = store.told
    assert (told.ledger, told.failures, told.was_forgotten) == ("login", 2, False)
    assert b"alice" not in told.digest


def test_failures_elsewhere_count_with_their_age_and_those_of_strange_ledgers_do_not() -> None:
    store = Told()
    exchange, ledger = exchanged(store)
    ledger.failed(["alice"], 999.0)
    asyncio.run(exchange.take_round())
    digest = store.told[0].digest
    store.coming = [
        AgedFailures(100.0, FailureChange("login", digest, 2)),
        AgedFailures(1.0, FailureChange("of a later version", digest, 9)),
    ]
    asyncio.run(exchange.take_round())
    assert ledger.failures("alice", 1000.0) == 3
    assert ledger.failures("alice", 900.0 + 901.0) == 0


def test_too_many_keys_at_once_leave_out_those_with_the_fewest_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failure_exchange, "MOST_TOLD", 2)
    store = Told()
    exchange, ledger = exchanged(store)
    for key, failures in (("a", 1), ("b", 3), ("c", 2)):
        for _ in range(failures):
            ledger.failed([key], 999.0)
    asyncio.run(exchange.take_round())
    assert [one.failures for one in store.told] == [3, 2]


def test_what_could_not_be_told_is_told_in_the_next_round() -> None:
    class Away(Told):
        is_away = True

        async def tell(self, changes: Sequence[FailureChange]) -> None:
            if self.is_away:
                raise StoreUnreachable("away")
            await super().tell(changes)

    store = Away()
    exchange, ledger = exchanged(store)
    ledger.failed(["alice"], 999.0)
    with pytest.raises(StoreUnreachable):
        asyncio.run(exchange.take_round())
    store.is_away = False
    asyncio.run(exchange.take_round())
    assert [one.failures for one in store.told] == [1]


def test_a_server_that_is_alone_keeps_no_changes() -> None:
    exchange = FailureExchange(NoFailuresElsewhere(), lambda: 0.0, EventBus())
    ledger = exchange.share("login", FailureLedger(3, 900.0))
    ledger.failed(["alice"], 0.0)
    assert ledger.take_changes() == {}
    asyncio.run(exchange.run())  # it ends at once
