"""The hourly sweep over a store: deleted, kept, and reported once. The clock is the test's."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restante.background.clocks import Clocks
from restante.background.rounds import AFTER_FAILURE
from restante.dsn.bounce_maker import prepare_bounce
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.message import message_name
from restante.queue.recipient_status import RecipientStatus
from restante.retention import retention_sweep
from restante.retention.age_clock import WAIT_SECONDS, AgeClock
from restante.retention.retention_sweep import BATCH, SWEEP_SECONDS, RetentionSweep
from restante.store.figure_store import DomainUsage
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.queue_store import QueuedMessage, QueueFilter
from restante.store.sqlite import open_sqlite
from restante.store.store_errors import Damaged, StoreError
from restante.telemetry.events import MailExpired, RecordChanged, StoreFailed
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import DAY, AtEnd, Policy, Retention
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    NOTED,
    account,
    domain,
    message,
    opened,
    refused,
)
from tests.log_lines import Lines

MONTH = Retention(30 * DAY, AtEnd.DELETE)


async def _nothing() -> None:
    """Nothing need be waited for."""


class Keeping:
    """A store on disk, its domains, and a clock that begins at 0."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.now = 0.0
        self.ages: AgeClock | None = None
        self.draining: set[int] = set()
        self.on_told: Callable[[], Awaitable[None]] = _nothing

    async def open(self) -> None:
        """Open the store, as a start of the server does: only what is in it is remembered."""
        self.store: Store = await open_sqlite(self.place)
        self.directory = LiveDirectory(self.store.records)
        await self.directory.refresh()
        self.log = Lines()
        self.sweeper = RetentionSweep(
            store=self.store,
            directory=self.directory,
            is_draining=self.draining.__contains__,
            dsn_writer=DsnWriter(self.store.content, "mx2.example.net", lambda: self.now),
            log=self.log,
            clocks=Clocks(
                lambda: self.now,
                lambda: self.now,
                self.wait,
                ages=lambda: self.now if self.ages is None else self.ages.now(),
            ),
            until_told=self.told,
        )

    async def restart(self) -> None:
        await self.store.close()
        await self.open()

    async def wait(self, _: asyncio.Event, seconds: float) -> None:
        raise asyncio.CancelledError(seconds)

    async def told(self) -> None:
        await self.on_told()

    async def host(self, name: str = "alpha.example", **policy: Any) -> HostedDomain:
        await self.store.records.put_account(account(), NOTED)
        stored = await self.store.records.put_domain(
            replace(domain(name), policy=Policy(**policy)), NOTED
        )
        await self.directory.refresh()
        return stored

    async def sweep_on(self, *days: float) -> list[Any]:
        """Sweep on each of these days; return what was told, by day."""
        told = []
        for day in days:
            self.now = day * DAY
            self.log.lines.clear()
            await self.sweeper.sweep()
            told += [
                (day, event.event, fields.get("days"))
                for event, fields in self.log.lines
                if event is not RecordChanged
            ]
        return told


@pytest.fixture
def keeping(runner: asyncio.Runner, directory: Path) -> Any:
    keeping = Keeping(directory)
    runner.run(keeping.open())
    yield keeping
    runner.run(keeping.store.close())


async def test_without_an_end_nothing_is_told_and_nothing_goes(keeping: Keeping) -> None:
    alpha = await keeping.host()
    await keeping.store.reception.hold([message(1, alpha.id)])
    assert await keeping.sweep_on(0, 10_000) == []
    assert keeping.store.figures.usage(alpha.id).messages == 1


async def test_it_is_told_ahead_three_times_and_then_deleted(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    new = message(1, alpha.id)._replace(message_id="<1@example.org>")
    await keeping.store.reception.hold([new])
    assert await keeping.sweep_on(0, 22, 23.1, 23.2, 27.1, 29.1, 29.9, 30.1, 30.2) == [
        (23.1, "retention-ahead", 7),
        (27.1, "retention-ahead", 3),
        (29.1, "retention-ahead", 1),
        (30.1, "mail-expired", None),
    ]
    assert keeping.store.figures.usage(alpha.id) == DomainUsage()
    [entry] = [
        entry
        for entry in await keeping.store.audit.audit()
        if entry.action is AuditAction.MAIL_EXPIRED
    ]
    assert (entry.actor, entry.account, entry.subject) == (
        "policy retention",
        "alpha",
        message_name(1),
    )
    assert entry.reason == "held for more than 30 days, by the policy of alpha.example"
    assert [(one.field, one.before) for one in entry.changes] == [
        ("status", "held"),
        ("reverse_path", "<bob@example.org>"),
        ("recipients", ANNA),
        ("message_id", "<1@example.org>"),
    ]


async def test_each_batch_that_ends_has_a_line_with_its_facts(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold([message(1, alpha.id)])
    await keeping.sweep_on(31)
    [line] = keeping.log.of(RecordChanged)
    assert (line["action"], line["actor"]) == ("mail-expired", "policy retention")
    assert (line["subject"], line["domain"]) == (message_name(1), "alpha.example")
    assert f"recipients: {ANNA} → none" in line["changes"]


async def test_a_restart_tells_nothing_twice(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold([message(1, alpha.id)])
    assert len(await keeping.sweep_on(23.1)) == 1
    await keeping.restart()
    assert await keeping.sweep_on(23.2, 27.1) == [(27.1, "retention-ahead", 3)]


async def test_a_crash_before_the_notice_is_stored_tells_again(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold([message(1, alpha.id)])

    async def crash() -> None:
        raise asyncio.CancelledError

    keeping.on_told = crash
    with pytest.raises(asyncio.CancelledError):
        await keeping.sweep_on(23.1)
    await keeping.restart()
    keeping.on_told = _nothing
    assert await keeping.sweep_on(23.2, 23.3) == [(23.2, "retention-ahead", 7)]


async def test_mail_that_comes_every_day_is_told_of_once(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    told = []
    for day in range(60):
        await keeping.store.reception.hold([message(day + 1, alpha.id, received_at=day * DAY + 1)])
        told += await keeping.sweep_on(day + 0.5)
    assert [event for event in told if event[1] == "retention-ahead"] == [
        (23.5, "retention-ahead", 7),
        (27.5, "retention-ahead", 3),
        (29.5, "retention-ahead", 1),
    ]


async def test_when_the_old_mail_has_left_the_next_is_told_of_again(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold(
        [message(1, alpha.id), message(2, alpha.id, received_at=20 * DAY)]
    )
    assert await keeping.sweep_on(23.1) == [(23.1, "retention-ahead", 7)]
    await keeping.store.queue.delete([1], NOTED)
    assert await keeping.sweep_on(23.2, 43.1) == [(43.1, "retention-ahead", 7)]


async def test_mail_to_be_kept_is_announced_once_at_the_end_of_its_time(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=Retention(30 * DAY))
    await keeping.store.reception.hold([message(1, alpha.id)])
    assert await keeping.sweep_on(23.1, 29.9, 30.1, 31, 400) == [(30.1, "retention-over", None)]
    assert keeping.store.figures.usage(alpha.id).messages == 1


async def test_refused_mail_has_a_retention_of_its_own(keeping: Keeping) -> None:
    alpha = await keeping.host(refused_retention=Retention(14 * DAY, AtEnd.DELETE))
    await keeping.store.reception.hold([message(1, alpha.id), message(2, alpha.id)])
    drain = await opened(keeping.store, alpha.id, 0.0, 60.0)
    await keeping.store.handover.settle(drain, [refused(1)], at=100 * DAY)
    assert await keeping.sweep_on(100, 106, 107.1, 113.1, 114.1) == [
        (107.1, "retention-ahead", 7),
        (113.1, "retention-ahead", 1),
        (114.1, "mail-expired", None),
    ]
    left = await keeping.store.queue.list_queue(QueueFilter())
    assert [(one.number, one.recipients[0].status) for one in left] == [(2, RecipientStatus.HELD)]


async def test_by_default_refused_mail_is_kept_and_told_of_after_two_weeks(
    keeping: Keeping,
) -> None:
    """A half-repaired primary must not destroy mail."""
    alpha = await keeping.host()
    await keeping.store.reception.hold([message(1, alpha.id)])
    await keeping.store.handover.settle(
        await opened(keeping.store, alpha.id, 0.0, 60.0), [refused(1)], at=100 * DAY
    )
    assert await keeping.sweep_on(113.9, 114.1, 1000) == [(114.1, "retention-over", None)]
    assert keeping.store.figures.usage(alpha.id).refused == 1


async def test_very_much_goes_in_batches_each_with_its_entry(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    count = 2 * BATCH + 1
    await keeping.store.reception.hold(
        [message(number, alpha.id, received_at=1.0) for number in range(1, count + 1)]
    )
    await keeping.store.reception.hold([message(count + 1, alpha.id, received_at=20 * DAY)])
    assert await keeping.sweep_on(31) == [(31, "mail-expired", None)]
    assert keeping.log.of(MailExpired)[0]["messages"] == count
    assert keeping.store.figures.usage(alpha.id) == DomainUsage(1, len(CONTENT))
    entries = [
        entry
        for entry in await keeping.store.audit.audit()
        if entry.action is AuditAction.MAIL_EXPIRED
    ]
    assert sorted(len(entry.subject.split()) for entry in entries) == [1, BATCH, BATCH]


async def test_mail_that_slices_leave_out_goes_in_the_same_sweep(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on PostgreSQL with imported mail: a slice has the oldest, not those that came first."""
    monkeypatch.setattr(retention_sweep, "BATCH", 2)
    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold([message(number, alpha.id) for number in range(1, 9)])
    expired = keeping.store.retention.expired

    async def unordered(
        domain_id: int, status: RecipientStatus, before: float, limit: int, after: int
    ) -> list[int]:
        return (await expired(domain_id, status, before, 99, after))[-limit:]

    monkeypatch.setattr(keeping.store.retention, "expired", unordered)
    await keeping.sweep_on(31)
    assert keeping.store.figures.usage(alpha.id).messages == 0
    assert [found["messages"] for found in keeping.log.of(MailExpired)] == [8]


async def test_a_drain_that_runs_keeps_its_mail_a_day_longer(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold([message(1, alpha.id)])
    keeping.draining.add(alpha.id)
    assert "mail-expired" not in [event for _, event, _ in await keeping.sweep_on(30.5)]
    assert (31.1, "mail-expired", None) in await keeping.sweep_on(31.1)


async def test_each_domain_goes_by_its_own_policy(keeping: Keeping) -> None:
    alpha = await keeping.host(retention=MONTH)
    beta = await keeping.host("beta.example")
    await keeping.store.reception.hold([message(1, alpha.id), message(2, beta.id)])
    await keeping.sweep_on(31)
    assert keeping.store.figures.usages() == {beta.id: DomainUsage(1, len(CONTENT))}


async def test_a_store_that_fails_is_tried_again_soon_and_else_an_hour_later(
    keeping: Keeping, monkeypatch: Any
) -> None:
    async def fail(*_: Any) -> Any:
        raise StoreError("disk full")

    alpha = await keeping.host(retention=MONTH)
    await keeping.store.reception.hold([message(1, alpha.id)])
    with monkeypatch.context() as patch:
        patch.setattr(keeping.store.retention, "expire", fail)
        keeping.now = 31 * DAY
        with pytest.raises(asyncio.CancelledError) as waited:
            await keeping.sweeper.run()
    assert waited.value.args == (AFTER_FAILURE,)
    assert [line["doing"] for line in keeping.log.of(StoreFailed)] == ["retention"]
    with pytest.raises(asyncio.CancelledError) as waited:
        await keeping.sweeper.run()
    assert waited.value.args == (SWEEP_SECONDS,)
    assert keeping.store.figures.usage(alpha.id) == DomainUsage()


async def test_a_failure_of_one_domain_leaves_the_others_their_turn(
    keeping: Keeping, monkeypatch: Any
) -> None:
    alpha = await keeping.host(retention=MONTH)
    beta = await keeping.host("beta.example", retention=MONTH)
    await keeping.store.reception.hold([message(1, alpha.id), message(2, beta.id)])
    expire = keeping.store.retention.expire

    async def fail(domain_id: int, *rest: Any) -> int:
        if domain_id == alpha.id:
            raise StoreError("one row is damaged")
        return await expire(domain_id, *rest)

    monkeypatch.setattr(keeping.store.retention, "expire", fail)
    keeping.now = 31 * DAY
    assert [await keeping.sweeper.sweep() for _ in range(2)] == [AFTER_FAILURE, 2 * AFTER_FAILURE]
    assert [line["domain"] for line in keeping.log.of(StoreFailed)] == ["alpha.example"] * 2
    assert keeping.store.figures.usage(alpha.id).messages == 1
    assert keeping.store.figures.usage(beta.id) == DomainUsage()
    for _ in range(10):
        assert await keeping.sweeper.sweep() <= SWEEP_SECONDS
    monkeypatch.setattr(keeping.store.upkeep, "absence", "its disk is away")
    with pytest.raises(StoreError, match="one row is damaged"):
        await keeping.sweeper.sweep()


async def test_mail_that_is_bounced_at_its_end_goes_and_its_sender_is_told(
    keeping: Keeping,
) -> None:
    """Once each, by a report in the same transaction. The null reverse-path gets no report."""
    alpha = await keeping.host(retention=Retention(30 * DAY, AtEnd.BOUNCE))
    await keeping.store.reception.hold(
        [message(1, alpha.id), message(2, alpha.id), message(3, alpha.id, reverse_path="")]
    )
    assert (30.1, "mail-expired", None) in await keeping.sweep_on(30.1)
    assert keeping.store.figures.usage(alpha.id) == DomainUsage()
    reports = await keeping.store.reports.due_reports(31 * DAY, 10, 1 << 20)
    assert [report.about for report in reports] == [1, 2]
    assert await keeping.sweep_on(30.2) == []
    [entry] = [
        entry
        for entry in await keeping.store.audit.audit()
        if entry.action is AuditAction.MAIL_BOUNCED
    ]
    assert (entry.actor, entry.account) == ("policy retention", "alpha")


async def test_mail_that_stays_does_not_keep_what_is_behind_it(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No report can be made for damaged mail. A slice that is full of it is not the last."""
    alpha = await keeping.host(retention=Retention(30 * DAY, AtEnd.BOUNCE))
    await keeping.store.reception.hold([message(number, alpha.id) for number in (1, 2, 3)])

    async def prepare(store: Any, writer: Any, listed: QueuedMessage, name: str) -> Any:
        if listed.number < 3:
            raise Damaged("its content does not match its checksum")
        return await prepare_bounce(store, writer, listed, name)

    monkeypatch.setattr(retention_sweep, "prepare_bounce", prepare)
    monkeypatch.setattr(retention_sweep, "BATCH", 1)
    await keeping.sweep_on(30.1)
    assert [one.number for one in await keeping.store.queue.list_queue(QueueFilter())] == [1, 2]


async def test_refused_mail_may_be_bounced_at_its_end_and_what_is_held_of_it_stays(
    keeping: Keeping,
) -> None:
    alpha = await keeping.host(refused_retention=Retention(14 * DAY, AtEnd.BOUNCE))
    await keeping.store.reception.hold([message(1, alpha.id, ANNA, BERT)])
    drain = await opened(keeping.store, alpha.id, 0.0, 60.0)
    await keeping.store.handover.settle(drain, [refused(1, BERT)], at=100 * DAY)
    await keeping.sweep_on(114.1)
    [left] = await keeping.store.queue.list_queue(QueueFilter())
    assert [one.forward_path for one in left.recipients] == [ANNA]
    assert [
        report.about for report in await keeping.store.reports.due_reports(115 * DAY, 10, 1 << 20)
    ] == [1]


@given(leap=st.floats(1.01 * DAY, 10_000 * DAY), age=st.floats(0, 29 * DAY))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_clock_that_is_ahead_at_a_start_deletes_nothing_before_the_wait_is_over(
    tmp_path_factory: pytest.TempPathFactory, leap: float, age: float
) -> None:
    """Mail younger than its retention stays until then; after 40 days off the rest ends then."""

    async def main() -> None:
        keeping = Keeping(tmp_path_factory.mktemp("store"))
        await keeping.open()
        alpha = await keeping.host(retention=MONTH)
        await keeping.store.reception.hold([message(1, alpha.id)])
        keeping.now = age + leap
        keeping.ages = AgeClock(age, lambda: keeping.now, lambda: keeping.now)
        for _ in range(3):
            await keeping.sweeper.sweep()
            keeping.now += WAIT_SECONDS / 4
        assert keeping.store.figures.usage(alpha.id).messages == 1
        keeping.now += WAIT_SECONDS
        await keeping.sweeper.sweep()
        is_over = keeping.now - 0.0 > 30 * DAY
        assert keeping.store.figures.usage(alpha.id).messages == (not is_over)
        await keeping.store.close()

    asyncio.run(main())
