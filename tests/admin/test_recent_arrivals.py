"""The mail that arrived lately, held or gone."""

import pytest

from restante.admin import recent_arrivals
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.readiness.record_verdicts import RecentArrivals
from restante.store.handover_store import Drain
from restante.tenancy.policy import DAY
from tests.admin.admin_world import NOW, AdminWorld, run

SINCE = NOW - 7 * DAY
SIZE = 6


async def arrive(admin: AdminWorld, domain_id: int, *days: float) -> None:
    """Have a message arrive for two recipients, so many days ago; its number is its place."""
    paths = ("a@alpha.example", "b@alpha.example")
    await admin.store.reception.hold(
        [
            NewMessage(number, domain_id, Envelope("", paths), NOW - before * DAY, b"x\r\ny\r\n")
            for number, before in enumerate(days, 1)
        ]
    )


async def deliver(admin: AdminWorld, domain_id: int, *numbers: int) -> None:
    drain = await admin.store.handover.open_drain(domain_id, NOW, NOW + 60, 1)
    assert isinstance(drain, Drain)
    done = [
        RecipientOutcome(f"{one}@alpha.example", RecipientMove.DELIVERED, "250 ok") for one in "ab"
    ]
    outcomes = [MessageOutcome(number, tuple(done)) for number in numbers]
    await admin.store.handover.settle(drain, outcomes, at=NOW)


def test_each_message_counts_once_whether_it_left_or_not() -> None:
    async def story() -> None:
        admin = AdminWorld()
        domain_id = await admin.host("alpha.example", "alpha")
        await arrive(admin, domain_id, 8, 7.5, 6, 5, 4)
        await deliver(admin, domain_id, 1, 3)
        found = await recent_arrivals.recent_arrivals(admin.context, domain_id, SINCE)
        assert found == RecentArrivals(3, 3 * SIZE)

    run(story())


def test_many_are_counted_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_arrivals, "PAGE", 2)
    monkeypatch.setattr(recent_arrivals, "MOST_PAGES", 2)

    async def story() -> None:
        admin = AdminWorld()
        domain_id = await admin.host("alpha.example", "alpha")
        await arrive(admin, domain_id, 6, 5, 4)
        assert (await recent_arrivals.recent_arrivals(admin.context, domain_id, SINCE)).is_all
        await deliver(admin, domain_id, 1, 2, 3)  # of each recipient, an entry
        found = await recent_arrivals.recent_arrivals(admin.context, domain_id, SINCE)
        assert not found.is_all
        assert 0 < found.messages < 3

    run(story())
