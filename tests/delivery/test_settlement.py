"""Outcomes on their way into the store: in batches, never forgotten, and never without end."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from math import inf
from typing import Any, cast

from restante.delivery.settlement import AWAY_PAUSE, PAUSES, Settlement
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.delivery_report import NewReport, ReportAction, ReportedRecipient, ReportFacts
from restante.mail.dsn_request import DsnRequest
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.store.handover_store import Drain, HandoverStore
from restante.store.memory import MemoryStore
from restante.store.store_errors import LeaseLost, StoreError, StoreUnreachable
from restante.telemetry.events import InternalError, ReportMade, StoreFailed
from tests.delivery.world import until
from tests.log_lines import Lines

LEASE = Drain(1, 1, 0.0, 0.0)


def outcome(number: int) -> MessageOutcome:
    return MessageOutcome(number, (RecipientOutcome("b@b.example", RecipientMove.DELIVERED),))


class Book:
    """A store that settles when it is let, and fails as told."""

    def __init__(self, *failures: StoreError) -> None:
        self.failures = list(failures)
        self.batches: list[list[int]] = []
        self.reports: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.tries = 0
        self.lease_left_now = inf

    def lease_left(self) -> float:
        return self.lease_left_now

    async def settle(
        self,
        _: Drain,
        outcomes: Sequence[MessageOutcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        self.tries += 1
        numbers = [each.number for each in outcomes]
        await self.may_go_on.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(numbers)
        self.reports.append([each.about for each in reports])


class Scene:
    def __init__(self, *failures: StoreError) -> None:
        self.book = Book(*failures)
        self.pauses: list[float] = []
        self.changes = 0
        self.log = Lines()
        self.dsn_writer = DsnWriter(MemoryStore().content, "mx2.example.net", lambda: 0.0, self.log)
        self.settlement = Settlement(
            cast(HandoverStore, self.book),
            LEASE,
            self.wait,
            self.log,
            dsn_writer=self.dsn_writer,
            on_change=self.change,
        )

    async def wait(self, _: asyncio.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        self.book.lease_left_now -= seconds

    def change(self) -> None:
        self.changes += 1


def play(act: Callable[[Scene], Coroutine[Any, Any, None]], *failures: StoreError) -> Scene:
    async def main() -> Scene:
        scene = Scene(*failures)
        running = asyncio.ensure_future(scene.settlement.run())
        await act(scene)
        running.cancel()
        await asyncio.wait([running])
        await scene.settlement.finish()
        return scene

    return asyncio.run(main())


def test_messages_that_gather_during_a_batch_are_the_next() -> None:
    async def act(scene: Scene) -> None:
        scene.book.may_go_on.clear()
        scene.settlement.add(outcome(1))
        await until(lambda: scene.book.tries == 1)
        for number in range(2, 6):
            scene.settlement.add(outcome(number))
        scene.book.may_go_on.set()
        await scene.settlement.flush()

    assert play(act).book.batches == [[1], [2, 3, 4, 5]]


def test_unsettled_batches_are_known_and_each_settlement_is_an_event() -> None:
    async def act(scene: Scene) -> None:
        scene.book.may_go_on.clear()
        scene.settlement.add(outcome(1))
        await until(lambda: scene.book.tries == 1)
        scene.settlement.add(outcome(2))
        assert (scene.settlement.unsettled, scene.changes) == (2, 0)
        scene.book.may_go_on.set()
        await scene.settlement.flush()
        assert (scene.settlement.unsettled, scene.changes) == (0, 2)

    play(act)


def test_a_batch_that_failed_is_tried_again() -> None:
    async def act(scene: Scene) -> None:
        scene.settlement.add(outcome(1))
        await scene.settlement.flush()
        assert scene.settlement.failure == ""

    scene = play(act, *[StoreError("busy")] * 2)
    assert scene.book.batches == [[1]]
    assert scene.pauses == list(PAUSES[:2])


def test_a_store_that_does_not_recover_is_a_failure_after_half_a_minute() -> None:
    async def act(scene: Scene) -> None:
        scene.settlement.add(outcome(1))
        await until(lambda: bool(scene.settlement.failure))
        scene.settlement.add(outcome(2))
        await scene.settlement.flush()
        assert scene.book.batches == []
        assert scene.changes == 1

    failures = [StoreError("disk full")] * (len(PAUSES) + 1)
    scene = play(act, *failures)
    assert 25 < sum(scene.pauses) < 35
    assert scene.book.batches == [[1, 2]], "the last try, which went well"


def test_while_the_store_is_away_patience_lasts_as_long_as_the_lease() -> None:
    """Nobody else can deliver the same until then: to give up would only make copies."""

    async def act(scene: Scene) -> None:
        scene.book.lease_left_now = 100.5
        scene.settlement.add(outcome(1))
        await until(lambda: bool(scene.settlement.failure))

    scene = play(act, *[StoreUnreachable("connection refused")] * 102)
    assert scene.pauses == [AWAY_PAUSE] * 100 + [0.5]
    assert scene.book.batches == [[1]], "the last try, which went well"
    assert len(scene.log.of(StoreFailed)) == 1, "the first says it"


def test_an_absence_within_the_lease_costs_nothing() -> None:
    async def act(scene: Scene) -> None:
        scene.book.lease_left_now = 1000.0
        scene.settlement.add(outcome(1))
        await scene.settlement.flush()
        assert scene.settlement.failure == ""

    away, busy = StoreUnreachable("connection refused"), StoreError("busy")
    scene = play(act, *[away] * 200, busy, away)
    assert scene.book.batches == [[1]]
    assert scene.pauses == [AWAY_PAUSE] * 200 + [PAUSES[0], AWAY_PAUSE]


def test_a_stop_ends_the_patience_with_a_store_that_is_away() -> None:
    async def act(scene: Scene) -> None:
        scene.settlement.hurry()
        scene.settlement.add(outcome(1))
        await until(lambda: bool(scene.settlement.failure))

    scene = play(act, *[StoreUnreachable("connection refused")] * 99)
    assert scene.book.tries == len(PAUSES) + 2
    assert scene.book.batches == []


def test_after_a_lost_lease_nothing_more_is_tried() -> None:
    async def act(scene: Scene) -> None:
        scene.settlement.add(outcome(1))
        await scene.settlement.flush()
        assert scene.settlement.is_lease_lost
        scene.settlement.add(outcome(2))
        await scene.settlement.flush()

    scene = play(act, LeaseLost("taken over"))
    assert scene.book.tries == 1
    assert not scene.pauses


def test_a_batch_cut_short_is_settled_at_the_end() -> None:
    async def act(scene: Scene) -> None:
        scene.book.may_go_on.clear()
        scene.settlement.add(outcome(1))
        await until(lambda: scene.book.tries == 1)
        scene.settlement.add(outcome(2))
        asyncio.get_running_loop().call_later(0, scene.book.may_go_on.set)

    assert play(act).book.batches == [[1, 2]]


def held(number: int) -> HeldMessage:
    return HeldMessage(number, 1, Envelope("a@a.example", ("b@b.example",)), 0.0, b"A: b\r\n\r\n")


RELAYED = ReportFacts(ReportAction.RELAYED, (ReportedRecipient("b@b.example", "250 queued"),))


def test_a_report_goes_with_the_batch_of_its_outcome() -> None:
    async def act(scene: Scene) -> None:
        scene.book.may_go_on.clear()
        scene.settlement.add(outcome(1))
        await until(lambda: scene.book.tries == 1)
        for number in (2, 3):
            scene.settlement.tell(held(number), RELAYED)
            scene.settlement.add(outcome(number))
        scene.book.may_go_on.set()
        await scene.settlement.flush()

    scene = play(act, StoreError("disk full"))
    assert scene.book.batches == [[1], [2, 3]]
    assert scene.book.reports == [[], [2, 3]]
    assert len(scene.log.of(ReportMade)) == 2


def test_a_batch_that_is_tried_again_has_the_same_reports_and_they_are_announced_once() -> None:
    async def act(scene: Scene) -> None:
        scene.settlement.tell(held(1), RELAYED)
        scene.settlement.add(outcome(1))
        await scene.settlement.flush()

    scene = play(act, StoreError("disk full"), StoreError("disk full"))
    assert (scene.book.tries, scene.book.reports) == (3, [[1]])
    assert len(scene.log.of(ReportMade)) == 1


def test_a_batch_cut_short_is_settled_with_its_reports_at_the_end() -> None:
    async def act(scene: Scene) -> None:
        scene.book.may_go_on.clear()
        for number in (1, 2):
            scene.settlement.tell(held(number), RELAYED)
            scene.settlement.add(outcome(number))
            await until(lambda: scene.book.tries == 1)
        asyncio.get_running_loop().call_later(0, scene.book.may_go_on.set)

    scene = play(act)
    assert (scene.book.batches, scene.book.reports) == ([[1, 2]], [[1, 2]])


def test_reports_that_were_not_made_yet_when_it_was_cut_short_are_made_at_the_end() -> None:
    """There is no outcome without its report."""
    begun = asyncio.Event()

    async def act(scene: Scene) -> None:
        make_all = scene.dsn_writer.make_all

        async def hang_at_first(
            facts: Iterable[tuple[HeldMessage, ReportFacts]],
        ) -> list[NewReport]:
            if not begun.is_set():
                begun.set()
                await asyncio.Event().wait()
            return await make_all(facts)

        scene.dsn_writer.make_all = hang_at_first  # type: ignore[method-assign]
        scene.settlement.tell(held(1), RELAYED)
        scene.settlement.add(outcome(1))
        await begun.wait()

    scene = play(act)
    assert (scene.book.batches, scene.book.reports) == ([[1]], [[1]])


def test_a_report_that_cannot_be_made_keeps_no_outcome_from_being_settled() -> None:
    """Otherwise delivered mail would be delivered again with each drain."""

    async def act(scene: Scene) -> None:
        scene.log.takes_defects = True
        broken = held(1)._replace(
            envelope=held(1).envelope._replace(dsn=DsnRequest(None, "+broken"))
        )
        for message in (broken, held(2)):
            scene.settlement.tell(message, RELAYED)
            scene.settlement.add(outcome(message.number))
        await scene.settlement.flush()

    scene = play(act)
    assert (scene.book.batches, scene.book.reports) == ([[1, 2]], [[2]])
    assert len(scene.log.of(InternalError)) == 1
