"""The wall clock is set back or ahead while things wait: no duration in memory changes.

Every holder of a clock plays a short story twice, once with steps of the wall clock in between. The
events, and the real time until each, must be the same.
"""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restante.delivery.link_plan import ConnectionEnd, EndKind
from restante.delivery.pipelining_backoff import PipeliningBackoff
from restante.mail.address import Mailbox
from restante.mail.delivery_report import NewReport, ReportAction
from restante.mail.envelope import Envelope
from restante.network.resolver import MxRecord
from restante.reception.after_holding import AfterHolding
from restante.reception.reception_settings import ReceptionSettings
from restante.release.authorized_host_lookup import HostNames
from restante.reports.report_settings import ReportSettings
from restante.smtp.pipelining import Pipelining
from restante.store.queue_store import MessageBounce
from restante.telemetry.events import Event, MailAfterQuiet, ReportSent
from restante.tenancy.policy import HoldPolicy
from tests.delivery.scripted_primary import CLOSE, Script, ScriptedPrimary
from tests.delivery.test_callout import NOBODY
from tests.delivery.watching import Scene
from tests.delivery.world import World
from tests.wire import Names, Wire, audit

Step = Callable[[World | Wire], None]
DAY: Final = 86400.0


def release_requests(step: Step) -> Any:
    """How many of three requests a minute are let through, at which second."""
    wire = Wire(ReceptionSettings(releases_per_minute=3))
    try:
        wire.hosts("a.example", holding=1)
        wire.transcript("""
            C: AUTH PLAIN {alpha}
            S: 235 2.7.0 Authentication successful
        """)
        seen = []
        for _ in range(12):
            wire.send(b"ETRN a.example\r\n")
            seen.append(wire.session.data_to_send()[:3])
            step(wire)
            wire.now += 10.0
        return seen
    finally:
        wire.close()


def failed_logins(step: Step) -> Any:
    """The wait of a guesser, and the time of the gate's next check."""
    wire = Wire()
    try:
        wire.hosts("a.example")
        seen = []
        for _ in range(12):
            wire.send(b"AUTH PLAIN AGFscGhhAHdyb25n\r\n")
            seen.append((wire.session.data_to_send()[:3], tuple(wire.delays)))
            step(wire)
            wire.now += 400.0
        return seen
    finally:
        wire.close()


def host_names(step: Step) -> Any:
    """For how long the last answer is believed while DNS is away."""
    world, names = World(), Names({"home.example": (ip_address("192.0.2.1"),)})
    kept = HostNames(names, lambda: world.monotonic)

    async def story() -> list[int]:
        await kept.addresses(["home.example"])
        names.is_away = True
        seen = []
        for _ in range(5):
            step(world)
            world.now += 1000.0
            seen.append(len((await kept.addresses(["home.example"]))["home.example"]))
        return seen

    return asyncio.run(story())


def backoff(step: Step) -> Any:
    """For how long a destination gets DATA."""
    world = World()
    kept = PipeliningBackoff(lambda: world.monotonic)
    kept.learn("d", ConnectionEnd(EndKind.BROKEN, "", False, (), "", not_borne=Pipelining.AHEAD))
    seen = []
    for _ in range(10):
        step(world)
        world.now += 10_000.0
        seen.append(kept.pipelining("d"))
    return seen


def after_holding(step: Step) -> Any:
    """Which mail comes after an hour of quiet."""
    world = World()
    heard = AfterHolding(world.store.figures, world.directory, world.log, lambda: world.monotonic)

    async def story() -> list[int]:
        domain = await world.host(25)
        seen = []
        for pause in (0.0, 3000.0, 3000.0, 4000.0, 10.0):
            world.now += pause
            await world.hold(domain)
            held = await world.store.handover.held(domain.id, 0, 1000, 1 << 30)
            heard.held(held[-1:])  # type: ignore[arg-type]
            step(world)
            seen.append(len(world.log.of(MailAfterQuiet)))
        return seen

    return asyncio.run(story())


def callouts(step: Step) -> Any:
    """When a destination is asked again for a mailbox that is not there, or when it was away."""

    async def story() -> list[int]:
        seen = []
        scripts: list[tuple[Script, tuple[float, ...]]]
        scripts = [({"RCPT": NOBODY}, (3599.0, 1.0)), ({"GREETING": CLOSE}, (59.0, 1.0))]
        for script, pauses in scripts:
            world = World()
            async with ScriptedPrimary(script) as primary, world.dispatcher() as dispatcher:
                domain = await world.host(primary.port)
                for pause in (0.0, *pauses):
                    world.now += pause
                    await dispatcher.ask_destination(domain, Mailbox("anna", "b.example"))
                    step(world)
                    seen.append(primary.connections)
        return seen

    return asyncio.run(story())


def drain(step: Step) -> Any:
    """After which pauses a drain tries again, and when it gives up."""

    async def story() -> Any:
        world = World()
        world.set(patience=3600.0, first_retry=60.0)

        async def set_clock() -> None:
            if len(world.pauses) < 1000:
                step(world)

        async with ScriptedPrimary({"GREETING": [CLOSE] * 99}) as primary:
            domain = await world.host(primary.port)
            await world.hold(domain)
            world.on_pause = set_clock
            await world.drain(domain)
            return primary.connections > 3, 1200 < world.end["seconds"] <= 3600, world.end["reason"]

    return asyncio.run(story())


def watcher(step: Step) -> Any:
    """When a destination is probed."""

    async def story() -> Any:
        scene = Scene()
        start = scene.world.monotonic
        await scene.world.hold(await scene.host("b.example", hold=HoldPolicy.ON_RETURN))
        probe = scene.probe
        probed: list[float] = []

        async def probe_and_step(destination: Any) -> str:
            probed.append(round(scene.world.monotonic - start, 3))
            if len(probed) < 6:
                step(scene.world)
            return await probe(destination)

        scene.probe = probe_and_step  # type: ignore[method-assign]
        await scene.watch(400)
        return probed

    return asyncio.run(story())


def reports(step: Step) -> Any:
    """After how much time each report leaves, when two may in a minute."""
    world, left = World(), []

    async def story() -> None:
        host = ScriptedPrimary()
        async with host:
            domain = await world.host(25)
            world.names.mx = {"a.example": [MxRecord(10, "mx.a.example")]}
            world.names.table = {"mx.a.example": ["127.0.0.1"]}
            given = ReportSettings(port=host.port, per_minute=2, private_addresses=True)
            sending = world.new_reports(given)
            await store_reports(world, domain, 6)
            start = world.monotonic

            def note(event: Event) -> None:
                if isinstance(event, ReportSent):
                    left.append(round(world.monotonic - start))
                    step(world)
                    if len(left) == 6:
                        sending.close()

            world.log.on_event = note
            await sending.run()

    asyncio.run(story())
    return left


async def store_reports(world: World, domain: Any, count: int) -> None:
    """Store reports that are due whatever the wall clock says."""

    for _ in range(count):
        await world.hold_asking(domain, Envelope("s@a.example", ("b@b.example",)))
        made = NewReport(
            world.held,
            domain.id,
            ReportAction.FAILED,
            ("b@b.example",),
            "s@a.example",
            b"\r\n",
            world.now,
        )
        assert await world.store.queue.bounce(
            [MessageBounce(world.held, ("b@b.example",), made)], audit()
        )


STORIES = [
    after_holding,
    backoff,
    drain,
    failed_logins,
    host_names,
    callouts,
    release_requests,
    reports,
    watcher,
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.sampled_from([-365 * DAY, -DAY, -3600.0, 3600.0, DAY]), min_size=1, max_size=9
    )
)
def test_setting_the_wall_clock_changes_no_duration(
    story: Callable[[Step], Any], steps: list[float]
) -> None:
    waiting = list(steps)

    def step(world: World | Wire) -> None:
        if waiting:
            world.step(waiting.pop())

    assert story(step) == story(lambda _world: None)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_after_one_question_the_next_is_answered_whatever_the_clock_says(step: float) -> None:
    """A clock set back by an hour once answered 458 for an hour."""

    def set_clock(wire: World | Wire) -> None:
        if not wire.stepped:
            wire.step(step)

    assert release_requests(set_clock)[:3] == [b"253", b"253", b"253"]
