"""The metrics that are read from the parts."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

import pytest

from restante.admin.admin_context import DoorFacts
from restante.admin.bounce import bounce_messages
from restante.admin.held_mail import NamedMessages
from restante.delivery.drain_state import DrainCensus
from restante.network.served_certificate import ServedCertificate
from restante.queue.drain_word import DrainState
from restante.reception.disk_space import DiskSpace
from restante.reception.doorkeeper import Doorkeeper, DoorLimits, ShedCause
from restante.reception.intake import Intake
from restante.reception.memory_budget import MemoryBudget
from restante.server.server_instruments import ProcessGauges, ReceptionGauges, ServerInstruments
from restante.store.node_store import Node, NodeState
from restante.store.scrubber import Scrubber
from restante.store.single_node import SingleNode
from restante.store.store_errors import StoreError, StoreUnreachable
from restante.telemetry.loop_lag import LoopLag
from restante.telemetry.metric_types import State
from restante.web.request_counts import RequestCounts
from tests.admin.admin_world import HEAD, NOW, AdminWorld
from tests.contract.store_parts import part_with


def instruments(admin: AdminWorld) -> ServerInstruments:
    door = Doorkeeper(DoorLimits(9, 9, 9, 9), lambda _: False, lambda: 0.0)
    return ServerInstruments(
        store=admin.store,
        drains=lambda: DrainCensus(
            Counter({DrainState.DELIVERING: 2, DrainState.STOPPING: 1}), connections=4
        ),
        reception=ReceptionGauges(
            door=door,
            memory_budget=MemoryBudget(100),
            intake=Intake(
                admin.store.reception, admin.log, lambda: NOW, hostname="mx2.example.net"
            ),
            disk_space=DiskSpace(lambda: 5, reserve=10),
            sessions=Counter,
        ),
        process=ProcessGauges(
            started_at=NOW - 60,
            certificates=lambda: [ServedCertificate(("mx2.example.net",), NOW + 60)],
            loop_lag=LoopLag(admin.log, lambda: 0.0),
            web_requests=RequestCounts(),
            clock_doubt=lambda: None,
        ),
        scrubber=Scrubber(admin.store.upkeep, admin.log, lambda: NOW, lambda: 0.0),
        now=lambda: NOW,
    )


async def with_mail(admin: AdminWorld) -> ServerInstruments:
    alpha, beta = (
        await admin.host("alpha.example", "alpha"),
        await admin.host("beta.example", "beta"),
    )
    await admin.hold(1, alpha, "x@alpha.example")
    await admin.hold(2, alpha, "y@alpha.example")
    await admin.hold(3, beta, "z@beta.example")
    await admin.refuse(2, alpha, "y@alpha.example", "550 no")
    return instruments(admin)


def read(admin: AdminWorld) -> State:
    async def story() -> State:
        return await (await with_mail(admin)).read()

    return asyncio.run(story())


def test_the_room_and_the_connections_turned_away_are_vital() -> None:
    found = instruments(AdminWorld())
    found.reception.disk_space.look()
    door, address = found.reception.door, ip_address("192.0.2.1")
    door.entered(address)
    door.set_limits(DoorLimits(1, 1, 1, 1))
    door.refusal(address)
    vitals = found.vitals()
    assert (vitals.is_room_short, vitals.free_octets, vitals.disk_reserve) == (True, 5, 10)
    assert vitals.door == DoorFacts(1, 1, {ShedCause.SESSIONS: 1})


def test_held_and_refused_mail_are_told_apart() -> None:
    state = read(AdminWorld())
    assert (state.held_messages, state.refused_messages, state.domains_with_mail) == (2, 1, 2)
    assert state.stored_octets == 3 * len(HEAD)
    assert state.oldest_message_age == 3600


def test_drains_are_counted_by_what_they_do() -> None:
    state = read(AdminWorld())
    assert state.drains == {"delivering": 2, "stopping": 1}
    assert state.delivery_connections == 4


def test_an_empty_store_has_nothing_old() -> None:
    state = asyncio.run(instruments(AdminWorld()).read())
    assert (state.held_messages, state.oldest_message_age) == (0, 0)
    assert (state.reports_waiting, state.notices_waiting) == (0, 0)


def test_reports_that_wait_are_counted() -> None:
    async def story() -> State:
        admin = AdminWorld()
        parts = await with_mail(admin)
        await bounce_messages(admin.context, NamedMessages(names=("2", "3"), reason="over"))
        return await parts.read()

    assert asyncio.run(story()).reports_waiting == 2


def test_a_store_that_cannot_be_asked_leaves_everything_else_to_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = AdminWorld()

    async def fail() -> Mapping[int, float]:
        raise StoreError("the database must be opened again")

    for question in ("oldest", "report_backlog", "notice_backlog"):
        monkeypatch.setattr(part_with(admin.store, question), question, fail)
    state = read(admin)
    assert (state.oldest_message_age, state.reports_waiting, state.notices_waiting) == (
        None,
        None,
        None,
    )
    assert state.held_messages == 2


class SharedStore(SingleNode):
    """Two servers, of which one is silent, and commits that wait for no standby."""

    risk = "no standby"
    clock_offset = 0.5

    async def nodes(self) -> list[Node]:
        node = Node("mx1:7", "0.1.0", NodeState.SERVING, 0.25, 4.75, 3, (), is_own=True)
        return [node, replace(node, name="mx2:7", state=NodeState.SILENT, is_own=False)]


class AwayNodes(SharedStore):
    """The same while the database is away."""

    async def nodes(self) -> list[Node]:
        raise StoreUnreachable("away")


def test_the_servers_of_a_shared_store_are_counted_by_state() -> None:
    admin = AdminWorld()
    admin.store.nodes = SharedStore()
    state = read(admin)
    assert state.nodes == {"serving": 1, "silent": 1}
    assert state.is_mail_at_risk
    assert state.clock_offset == 0.5
    admin = AdminWorld()
    admin.store.nodes = AwayNodes()
    assert read(admin).nodes is None
    assert read(AdminWorld()).nodes is None, "a store of one server"
