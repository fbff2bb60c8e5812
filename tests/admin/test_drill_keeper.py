"""The timer drills the domains that are due, once, a few at a time, and reports old proofs."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from restante.admin import drill_keeper
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange
from restante.admin.domain_drill import drill_duty
from restante.admin.domains import change_domain
from restante.admin.drill_keeper import (
    AT_ONCE,
    AT_ONCE_OF_ACCOUNT,
    POSTPONED_SECONDS,
    ROUND_SECONDS,
    SOON_SECONDS,
    DrillKeeper,
)
from restante.admin.drill_leftovers import DrillBeginning, beginnings, mark_beginning
from restante.admin.drill_records import drill_facts_of, record_drill
from restante.queue.drain_word import DrainEnd
from restante.queue.presence import DestinationState, WatchedDestination
from restante.store.handover_store import Drain
from restante.telemetry.events import DrillProofOld, RecordChanged
from restante.tenancy.audit import AuditAction
from restante.tenancy.principal import Role
from tests.admin.admin_world import NOW, AdminWorld, run

DAY = 86_400.0
MONTH = 30 * DAY


class Scene:
    """A keeper, a clock, and drills that only note that they were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.admin = AdminWorld()
        self.now = NOW
        self.monotonic = 0.0
        self.drilled: list[str] = []
        self.passes = True
        self.cannot_begin = False
        self.turns = 0  # of the event loop that a drill takes
        self.running: list[str] = []
        self.most = 0
        self.told = 0
        memory = replace(self.admin.context.memory, monotonic=lambda: self.monotonic)
        self.admin.context = replace(self.admin.context, now=lambda: self.now, memory=memory)
        self.keeper = self.started()
        monkeypatch.setattr(drill_keeper, "drill_domain", self._drill)

    def started(self) -> DrillKeeper:
        """Return the keeper of a server that has just started."""
        return DrillKeeper(self.admin.context, self.admin.log, lambda: self.now, self._until_told)

    async def _until_told(self) -> None:
        self.told += 1

    async def _drill(self, context: Any, name: str, _order: object) -> None:
        assert context.principal.role is Role.POLICY
        if self.cannot_begin:
            raise AdminError(ErrorKind.CONFLICT, "drill: another drill runs", "wait")
        self.running.append(name)
        self.most = max(self.most, len(self.running))
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.running.remove(name)
        self.drilled.append(name)
        await record_drill(
            context,
            context.directory.now.domains[name],
            seconds=1.0 if self.passes else None,
            answer="",
            reason="",
            failure="" if self.passes else "enter: no",
        )

    async def host(self, name: str, account: str = "alpha", **policy: Any) -> int:
        return await self.admin.host(name, account, **{"drill_every": MONTH, **policy})

    async def change(self, name: str, **fields: Any) -> None:
        await change_domain(self.admin.context, name, DomainChange.model_validate(fields))

    async def later(self, days: float) -> float:
        self.now += days * DAY
        self.monotonic += days * DAY
        return await self.keeper.take_round()

    async def taken(self) -> list[str]:
        """Return the domains that were drilled since the last question."""
        drilled, self.drilled = self.drilled, []
        return sorted(drilled)

    @property
    def old(self) -> list[tuple[str, int]]:
        return [
            (fields["domain"], int(fields["age_days"]))
            for event, fields in self.admin.log.lines
            if event is DrillProofOld
        ]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_a_domain_with_a_timer_is_drilled_once_in_each_period_and_no_other_is(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example")
        await scene.host("other.example", drill_every=None)
        await scene.later(0)
        assert await scene.taken() == []
        await scene.later(7)
        assert await scene.taken() == ["alpha.example"]
        await scene.later(26)  # nine tenths of a period are 27 days
        assert await scene.taken() == []
        await scene.later(4)
        assert await scene.taken() == ["alpha.example"]
        await scene.change("alpha.example", drill_every=0)
        for _ in range(4):
            await scene.later(30)
        assert await scene.taken() == []

    run(story())


def test_the_last_drill_is_known_after_a_restart_and_one_by_hand_counts(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example")
        await scene.later(0)
        await scene.later(7)
        scene.keeper = scene.started()
        await scene.later(20)
        assert await scene.taken() == ["alpha.example"]
        await scene._drill(
            scene.keeper._context, "alpha.example", None
        )  # by hand, and nobody woke the keeper
        scene.keeper = scene.started()
        await scene.later(26)
        assert await scene.taken() == ["alpha.example"]  # that one

    run(story())


def test_a_drill_that_failed_is_made_again_after_a_day(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example")
        await scene.later(0)
        scene.passes = False
        for _ in range(3):
            await scene.later(7)
        assert len(await scene.taken()) == 3
        await scene.later(0.5)
        assert await scene.taken() == []
        scene.passes = True
        await scene.later(0.5)
        assert await scene.taken() == ["alpha.example"]

    run(story())


async def suspend(scene: Scene, _: int) -> None:
    await scene.change("alpha.example", hold="suspended", reason="unpaid")


async def resume(scene: Scene, _: int) -> None:
    await scene.change("alpha.example", hold="until-asked")


async def go_away(scene: Scene, _: int) -> None:
    assert scene.admin.server is not None
    seen = WatchedDestination(DestinationState.AWAY, NOW, NOW, "refused")
    scene.admin.server.sightings["mail.alpha.example:25"] = seen


async def come_back(scene: Scene, _: int) -> None:
    assert scene.admin.server is not None
    scene.admin.server.sightings.clear()


async def begin_drain(scene: Scene, domain_id: int) -> None:
    await scene.admin.hold(1, domain_id, "x@alpha.example")
    assert isinstance(
        await scene.admin.store.handover.open_drain(domain_id, NOW, NOW + 60, 0), Drain
    )


async def finish_drain(scene: Scene, domain_id: int) -> None:
    [drain] = scene.admin.store.handover.open_drains()
    await scene.admin.store.handover.close_drain(drain)


@pytest.mark.parametrize(
    ("begin", "end"), [(suspend, resume), (go_away, come_back), (begin_drain, finish_drain)]
)
def test_what_keeps_a_domain_from_being_drilled_only_puts_the_drill_off(
    scene: Scene, begin: Any, end: Any
) -> None:
    async def story() -> None:
        domain_id = await scene.host("alpha.example")
        await scene.host("beta.example", "beta", destination="mail2.alpha.example:25")
        await scene.later(0)
        await begin(scene, domain_id)
        await scene.later(8)
        assert await scene.taken() == ["beta.example"]
        await end(scene, domain_id)
        await scene.later(0)
        assert await scene.taken() == ["alpha.example"]

    run(story())


def test_a_domain_whose_last_drain_was_given_up_is_not_drilled_while_mail_is_held(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        domain_id = await scene.host("alpha.example")
        await scene.admin.hold(1, domain_id, "x@alpha.example")
        await scene.later(0)
        ends = iter([DrainEnd.GIVEN_UP, DrainEnd.REFUSED, DrainEnd.FINISHED])

        class Past:
            def __init__(self) -> None:
                self.end = next(ends)

        async def past_drains(_: object) -> dict[int, Past]:
            return {domain_id: Past()}

        monkeypatch.setattr(scene.admin.store.handover, "past_drains", past_drains)
        for expected in ([], [], ["alpha.example"]):
            await scene.later(8)
            assert await scene.taken() == expected

    run(story())


def test_few_drills_run_at_once_and_accounts_take_turns(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill_keeper, "MOST", 6)

    async def story() -> None:
        for number in range(20):
            await scene.host(f"m{number}.example", "many")
        for name in ("one", "two", "three"):
            await scene.host(f"{name}.example", name)
        await scene.later(0)
        scene.turns = 3
        assert await scene.later(8) == SOON_SECONDS
        taken = await scene.taken()
        assert len(taken) == 6
        assert {"one.example", "two.example", "three.example"} < set(taken)
        assert scene.most == AT_ONCE
        scene.most = 0
        assert await scene.later(0) == SOON_SECONDS
        assert scene.most == AT_ONCE_OF_ACCOUNT
        assert await scene.later(0) == SOON_SECONDS
        assert await scene.later(0) == ROUND_SECONDS
        assert len(await scene.taken()) == 17

    run(story())


def test_a_drill_that_cannot_begin_is_left_alone_for_an_hour(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example")
        await scene.later(0)
        scene.cannot_begin = True
        await scene.later(8)
        scene.cannot_begin = False
        await scene.later(0)
        assert await scene.taken() == []
        await scene.later(POSTPONED_SECONDS / DAY)
        assert await scene.taken() == ["alpha.example"]

    run(story())


def test_an_old_proof_is_told_in_steps_and_again_when_it_is_proven(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example", drill_every=None)
        domain_id = await scene.host("beta.example", "beta")
        await scene.later(0)
        await scene.later(8)
        await suspend(scene, 0)
        assert scene.admin.server is not None
        await go_away(scene, 0)  # the destination of both
        for _ in range(40):
            await scene.later(10)
        assert scene.old == [("beta.example", days) for days in (60, 120, 240)]
        assert scene.told == 3
        assert (await drill_facts_of(scene.admin.store.retention, domain_id)).told_step == 4
        await come_back(scene, 0)
        await scene.later(0)
        facts = await drill_facts_of(scene.admin.store.retention, domain_id)
        assert (facts.told_step, facts.passed_at) == (0, scene.now)

    run(story())


def test_a_proof_without_a_timer_is_old_after_three_months(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example", drill_every=None)
        await scene.host("never.example", drill_every=None)
        await scene._drill(scene.keeper._context, "alpha.example", None)
        await scene.later(89)
        assert scene.old == []
        await scene.later(1)
        assert scene.old == [("alpha.example", 90)]

    run(story())


def test_the_message_of_a_drill_that_did_not_end_is_looked_for(scene: Scene) -> None:
    async def story() -> None:
        domain_id = await scene.host("alpha.example", drill_every=None)
        beginning = DrillBeginning(domain_id, "alpha.example", NOW - DAY)
        await mark_beginning(scene.admin.store.retention, beginning)
        domain = scene.admin.context.directory.now.domains["alpha.example"]
        async with drill_duty(scene.admin.context, domain):
            await scene.later(0)
        assert await beginnings(scene.admin.store.retention) == {domain_id: NOW - DAY}
        await scene.later(0)
        assert await beginnings(scene.admin.store.retention) == {}

    run(story())


def test_a_server_without_a_public_listener_drills_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        await scene.host("alpha.example")
        await scene.later(0)
        monkeypatch.setattr(scene.admin.server, "listeners", list)
        await scene.later(8)
        assert await scene.taken() == []

    run(story())


def test_a_timer_that_is_set_is_seen_at_once(scene: Scene) -> None:
    async def story() -> None:
        await scene.host("alpha.example", drill_every=None)
        woken = scene.keeper._rounds._woken

        def changed() -> RecordChanged:
            return RecordChanged(
                action=AuditAction.DOMAIN_CHANGED,
                actor="operator",
                acted_from="",
                subject="alpha.example",
                account="alpha",
                domain="alpha.example",
                reason="",
                changes=(),
            )

        scene.keeper.record_changed(changed())
        assert not woken.is_set()
        await scene.change("alpha.example", drill_every=MONTH)
        scene.keeper.record_changed(changed())
        assert woken.is_set()

    run(story())
