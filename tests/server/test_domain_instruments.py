"""The figures of single domains that are read from the parts."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families as read_text

from restante.background.loop_slices import TURN_SECONDS
from restante.queue.presence import DestinationState
from restante.server.domain_instruments import DomainInstruments
from restante.store.store_errors import StoreError
from restante.telemetry.domain_counts import DomainCounts
from restante.telemetry.event_fields import example
from restante.telemetry.events import MessageDelivered
from restante.telemetry.metric_types import Exposition
from tests.admin.admin_world import HEAD, NOW, AdminWorld
from tests.contract.store_parts import part_with

PLAIN = Exposition((b"",), "text/plain; version=0.0.4")
Samples = dict[tuple[str, str], float]


def instruments(admin: AdminWorld, limit: int | None = None) -> DomainInstruments:
    return DomainInstruments(
        store=admin.store,
        directory=admin.context.directory,
        counts=DomainCounts(),
        seen=lambda _: DestinationState.AWAY,
        is_draining=lambda domain_id: domain_id == 1,
        limit=lambda: limit,
        now=lambda: NOW,
    )


async def with_mail(admin: AdminWorld) -> None:
    """Hold two messages for one domain, one of them refused, and one for another with a quota."""
    alpha = await admin.host("alpha.example", "alpha")
    beta = await admin.host("beta.example", "beta", quota=10 * len(HEAD))
    await admin.host("gamma.example", "beta")
    await admin.hold(1, alpha, "x@alpha.example")
    await admin.hold(2, alpha, "y@alpha.example")
    await admin.hold(3, beta, "z@beta.example")
    await admin.refuse(2, alpha, "y@alpha.example", "550 no")


async def read(parts: DomainInstruments) -> Samples:
    exposition = await parts.added_to(PLAIN)
    return {
        (sample.name.removeprefix("restante_domain_"), sample.labels["domain"]): sample.value
        for family in read_text(exposition.body.decode())
        for sample in family.samples
    }


def test_each_domain_has_its_own_figures() -> None:
    async def story() -> Samples:
        admin = AdminWorld()
        await with_mail(admin)
        parts = instruments(admin)
        parts.counts.count(example(MessageDelivered, domain="beta.example"))
        return await read(parts)

    samples = asyncio.run(story())
    assert samples["held_messages", "alpha.example"] == 1
    assert samples["refused_messages", "alpha.example"] == 1
    assert samples["stored_octets", "alpha.example"] == 2 * len(HEAD)
    assert samples["oldest_message_age_seconds", "alpha.example"] == 3600
    assert samples["oldest_message_age_seconds", "gamma.example"] == 0
    assert samples["destination_up", "alpha.example"] == 0
    assert samples["drains", "alpha.example"] == 1
    assert samples["drains", "beta.example"] == 0
    assert samples["quota_used_ratio", "beta.example"] == 0.1
    assert ("quota_used_ratio", "alpha.example") not in samples
    assert samples["messages_delivered_total", "beta.example"] == 1
    assert ("held_messages", "(other)") not in samples


def test_the_others_are_summed() -> None:
    async def story() -> Samples:
        admin = AdminWorld()
        await with_mail(admin)
        parts = instruments(admin, limit=1)
        parts.counts.count(example(MessageDelivered, domain="beta.example"))
        return await read(parts)

    samples = asyncio.run(story())
    assert {domain for _, domain in samples} == {"alpha.example", "(other)"}
    assert samples["held_messages", "(other)"] == 1
    assert samples["stored_octets", "(other)"] == len(HEAD)
    assert samples["oldest_message_age_seconds", "(other)"] == 3600
    assert samples["quota_used_ratio", "(other)"] == 0.1
    assert samples["messages_delivered_total", "(other)"] == 1
    assert ("destination_up", "(other)") not in samples


def test_no_domain_is_named_where_the_operator_wants_none() -> None:
    async def story() -> Exposition:
        admin = AdminWorld()
        await with_mail(admin)
        return await instruments(admin, limit=0).added_to(PLAIN)

    assert asyncio.run(story()) is PLAIN


def test_a_store_that_cannot_be_asked_leaves_the_rest_to_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail() -> Mapping[int, float]:
        raise StoreError("the database must be opened again")

    async def story() -> Samples:
        admin = AdminWorld()
        await with_mail(admin)
        monkeypatch.setattr(part_with(admin.store, "oldest"), "oldest", fail)
        return await read(instruments(admin))

    samples = asyncio.run(story())
    assert samples["held_messages", "alpha.example"] == 1
    assert ("oldest_message_age_seconds", "alpha.example") not in samples


@pytest.mark.parametrize("limit", [None, 1])
def test_domains_are_read_in_turns_with_others(limit: int | None) -> None:
    turns: list[None] = []
    seen: list[int] = []

    def slow_is_draining(_: int) -> bool:
        seen.append(len(turns))
        asyncio.get_running_loop().call_soon(turns.append, None)
        until = time.perf_counter() + TURN_SECONDS
        while time.perf_counter() <= until:
            pass
        return False

    async def story() -> None:
        admin = AdminWorld()
        await with_mail(admin)
        read = replace(instruments(admin, limit), is_draining=slow_is_draining)
        await read.added_to(PLAIN)

    asyncio.run(story())
    assert seen[:3] == [0, 1, 2]


def test_many_domains_are_written_in_several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> Exposition:
        admin = AdminWorld()
        await with_mail(admin)
        return await instruments(admin).added_to(PLAIN)

    monkeypatch.setattr("restante.telemetry.domain_metrics.LINES_AT_ONCE", 1)
    shown = asyncio.run(story())
    assert max(piece.count(b"\n") for piece in shown.pieces) <= 2
    assert len(shown.pieces) > 3 * 5
