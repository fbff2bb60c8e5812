"""A drain as it is told at its start and end, and kept as the last of its domain."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from restante.delivery.drain_log import DrainLog
from restante.delivery.drain_summary import DrainSummary
from restante.queue.drain_word import DrainEnd
from restante.store.handover_store import PastDrain
from restante.telemetry.events import DestinationRefuses, DrainFinished, DrainStarted
from restante.tenancy.history_detail import HistoryDetail
from restante.tenancy.model import Account
from tests.contract.making import opened
from tests.delivery.world import World
from tests.wire import NOW


def told(
    act: Callable[[World, DrainLog, DrainSummary], Any], takers: tuple[str, ...] = ()
) -> tuple[World, Any]:
    world = World(takers=takers)

    async def story() -> Any:
        domain = await world.host(25)
        await world.hold(domain, 3)
        lease = await opened(world.store, domain.id, NOW, NOW + 60)
        drain_log = DrainLog(
            world.log, domain.name, domain.destination.text, world.new_context().clocks
        )
        return act(world, drain_log, DrainSummary(lease, domain, drain_log, world.new_context()))

    return world, asyncio.run(story())


def test_a_start_says_how_much_is_held() -> None:
    world, _ = told(lambda _, __, summary: summary.tell_start())
    [line] = world.log.of(DrainStarted)
    assert (line["domain"], line["destination"], line["held"]) == ("b.example", "127.0.0.1:25", 3)


def test_a_destination_that_refuses_everything_is_told_with_its_account() -> None:
    world, _ = told(lambda _, __, summary: summary.tell_refusals("550 no"))
    [line] = world.log.of(DestinationRefuses)
    assert (line["account"], line["reason"], line["held"]) == ("alpha", "550 no", 3)


def test_an_end_has_the_time_that_nobody_sets() -> None:
    def act(world: World, _: DrainLog, summary: DrainSummary) -> None:
        world.now += 7.0
        world.step(-3600.0)
        summary.tell_end(DrainEnd.FINISHED, "done")

    world, _ = told(act)
    [line] = world.log.of(DrainFinished)
    assert (line["seconds"], line["end"], line["reason"]) == (7.0, str(DrainEnd.FINISHED), "done")


@pytest.mark.parametrize(
    ("refused", "damaged", "text"),
    [
        (0, 0, "everything was handed over"),
        (2, 0, "all mail was tried: 2 refused"),
        (2, 1, "all mail was tried: 2 refused, 1 damaged"),
    ],
)
def test_what_stays_is_counted(refused: int, damaged: int, text: str) -> None:
    def act(_: World, drain_log: DrainLog, summary: DrainSummary) -> str:
        drain_log.totals.refused = refused
        return summary.text(damaged)

    assert told(act)[1] == text


@pytest.mark.parametrize("takers", [(), ("127.0.0.1:25",)])
def test_the_last_drain_names_its_destination_if_that_has_ever_taken_mail(
    takers: tuple[str, ...],
) -> None:
    def act(_: World, drain_log: DrainLog, summary: DrainSummary) -> PastDrain:
        drain_log.last_error = "450 later"
        return summary.past(DrainEnd.GIVEN_UP, "patience is over")

    _, past = told(act, takers)
    assert (past.end, past.reason) == (str(DrainEnd.GIVEN_UP), "patience is over")
    assert past.last_error == "450 later"
    assert past.taker == "".join(takers)


REFUSAL = "550 5.1.1 <anna@b.example> unknown"


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        (HistoryDetail.FULL, REFUSAL),
        (HistoryDetail.DOMAIN, "550 5.1.1"),
        (HistoryDetail.NONE, "550 5.1.1"),
    ],
)
def test_no_more_is_kept_of_the_last_error_than_the_account_wants(
    detail: HistoryDetail, error: str
) -> None:
    def act(world: World, drain_log: DrainLog, summary: DrainSummary) -> PastDrain:
        drain_log.last_error = REFUSAL
        account = Account(summary.account, NOW, history=detail)
        accounts = cast("dict[str, Account]", world.directory.now.accounts)
        accounts[account.name] = account
        assert summary.last_error == error
        del accounts[account.name]  # the drain ends, as its domain was removed
        return summary.past(DrainEnd.GIVEN_UP, f"all mail was tried; {REFUSAL}")

    _, past = told(act)
    assert past.last_error == error
    assert past.reason == f"all mail was tried; {error}"
