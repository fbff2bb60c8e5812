"""Mail that leaves without a request. The test's clock moves only when the watcher waits."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from restante.background.clocks import Clocks
from restante.delivery.cannot_start import CannotStart
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.presence_journal import PresenceJournal
from restante.delivery.presence_settings import PresenceSettings
from restante.delivery.watcher import (
    CONSIDERED_AT_ONCE,
    GREETINGS_AT_ONCE,
    ProbeSettings,
    UnaskedDrains,
    Watcher,
)
from restante.queue.presence import DestinationState, PresenceChange
from restante.store.duty_locks import DutyLocks
from restante.store.store_errors import StoreError
from restante.telemetry.events import DeliveryAttempt, PrimaryAway, PrimaryBack, StoreFailed
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.policy import AcceptPolicy, HoldPolicy, Policy, ProbePolicy, Suspension
from tests.contract.making import account
from tests.delivery.world import World
from tests.wire import audit

SETTINGS = DeliverySettings(probe_pause=10.0, longest_probe_pause=100.0)
PORT = 2500


class Enough(Exception):  # noqa: N818
    """The time of the test is over."""


@dataclass
class Scene:
    """A world with a watcher. The ports in `up` answer. A drain empties its domain if `takes`."""

    world: World = field(default_factory=World)
    up: set[int] = field(default_factory=set)
    takes: bool = True
    probed: list[tuple[float, int]] = field(default_factory=list)  # when, and which port
    begun: list[tuple[float, str]] = field(default_factory=list)  # when, and whose drain
    draining: set[int] = field(default_factory=set)  # here
    elsewhere: set[int] = field(default_factory=set)  # drained by other servers
    acts: dict[float, Callable[[], Awaitable[None]]] = field(
        default_factory=dict
    )  # acts of the test, by their time
    error: Exception | None = None  # of the next start
    presence: PresenceSettings = field(default_factory=PresenceSettings)
    greeted: list[tuple[float, int]] = field(default_factory=list)  # as `probed`, by greeting alone
    busy: set[str] = field(default_factory=set)  # destinations that drains are connected to

    def __post_init__(self) -> None:
        self.began = self.world.monotonic

    @property
    def clock(self) -> float:
        return round(self.world.monotonic - self.began, 3)

    async def host(self, name: str, port: int = PORT, **policy: Any) -> HostedDomain:
        return await self.world.host(
            port, name, policy=Policy(**{"probe": ProbePolicy.OFF} | policy)
        )

    async def mail(self, domain: HostedDomain) -> None:
        """A message comes."""
        await self.world.hold(domain)
        self.watcher.mail_came(domain)

    async def probe(self, destination: Destination) -> str:
        self.probed.append((self.clock, destination.port))
        return "" if destination.port in self.up else "connection refused"

    async def greet(self, destination: Destination) -> str:
        self.greeted.append((self.clock, destination.port))
        return "" if destination.port in self.up else "connection refused"

    async def start(self, domain: HostedDomain) -> None:
        self.begun.append((self.clock, domain.name))
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if self.takes:
            numbers = [
                message.number
                for message in await self.world.store.handover.held(domain.id, 0, 1000, 1 << 30)
            ]
            await self.world.store.queue.delete(numbers, audit())
        self.watcher.drain_ended(domain.id)

    async def watch(self, seconds: float) -> None:
        """Let the watcher work for so long."""
        async with asyncio.TaskGroup() as tasks:
            self._until = self.world.monotonic + seconds
            self.watcher = Watcher(
                figures=self.world.store.figures,
                duties=DutyLocks(),
                directory=self.world.directory,
                drains=UnaskedDrains(
                    self.probe,
                    self.greet,
                    lambda: self.busy,
                    self.start,
                    is_draining=lambda domain_id: domain_id in self.draining | self.elsewhere,
                    runs_here=self.draining.__contains__,
                ),
                probing=ProbeSettings(
                    lambda: SETTINGS,
                    lambda: self.presence,
                    PresenceJournal(self.world.store.presence, self.world.log, tasks.create_task),
                ),
                log=self.world.log,
                clocks=Clocks(
                    now=lambda: self.world.now,
                    monotonic=lambda: self.world.monotonic,
                    wait=self.wait,
                    jitter=lambda: 0.5,
                ),
                spawn=tasks.create_task,
            )
            with pytest.raises(Enough):
                await self.watcher.run()

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        """Let the present work end. Then time jumps to the next act, or over the pause."""
        for _ in range(10):
            await asyncio.sleep(0)
        if woken.is_set():
            return
        assert seconds > 0, "it would turn without an end"
        now = self.world.monotonic
        acts = [at for at in self.acts if now <= self.began + at <= now + seconds]
        then = min([now + seconds, self._until, *(self.began + at for at in acts)])
        self.world.now += then - now
        if acts and then == self.began + min(acts):
            await self.acts.pop(min(acts))()
        if then >= self._until:
            raise Enough


def test_many_domains_of_a_destination_that_comes_back_begin_few_at_once() -> None:
    """The event loop has its turn in between."""

    async def story() -> None:
        scene = Scene(up={PORT})
        turns: list[int] = []  # of another task, when each drain began
        turn = 0

        async def other() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        real = scene.start

        async def start(domain: HostedDomain) -> None:
            turns.append(turn)
            await real(domain)

        scene.start = start  # type: ignore[method-assign]
        for number in range(4 * CONSIDERED_AT_ONCE):
            await scene.world.hold(
                await scene.host(f"d{number}.example", hold=HoldPolicy.ON_RETURN)
            )
        beside = asyncio.create_task(other())
        await scene.watch(100.0)
        beside.cancel()
        assert len(scene.begun) == 4 * CONSIDERED_AT_ONCE
        assert max(Counter(turns).values()) <= CONSIDERED_AT_ONCE

    asyncio.run(story())


def test_until_asked_nothing_is_watched_and_nothing_leaves() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        domain = await scene.host("b.example")
        await scene.world.hold(domain, 3)
        scene.acts[5.0] = lambda: scene.mail(domain)
        await scene.watch(86400)
        assert (scene.probed, scene.begun) == ([], [])

    asyncio.run(main())


def test_on_return_it_leaves_when_the_destination_answers_twice() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        await scene.world.hold(domain, 3)

        async def come_back() -> None:
            scene.up.add(PORT)

        scene.acts[75.0] = come_back
        await scene.watch(200)
        assert [at for at, _ in scene.probed] == [
            0.0,
            10.0,
            20.0,
            40.0,
            80.0,
            90.0,
        ]  # no more once all has left
        assert scene.begun == [(90.0, "b.example")]
        [away], [back] = (
            scene.world.log.of(PrimaryAway),
            scene.world.log.of(PrimaryBack),
        )
        assert (away["destination"], away["account"], away["domains"]) == (
            f"127.0.0.1:{PORT}",
            "alpha",
            ("b.example",),
        )
        assert away["reason"] == "connection refused"
        assert (back["domains"], back["domains_total"]) == (("b.example",), 1)

    asyncio.run(main())


def test_one_good_probe_among_bad_ones_is_no_return() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        await scene.world.hold(domain, 1)

        async def flicker() -> None:
            scene.up ^= {PORT}

        scene.acts |= {35.0: flicker, 45.0: flicker}  # up for the probe at 40 alone
        await scene.watch(400)
        assert scene.begun == []
        assert len(scene.world.log.of(PrimaryAway)) == 1

    asyncio.run(main())


def test_only_while_mail_is_held_it_is_watched() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        scene.acts[500.0] = lambda: scene.mail(domain)
        await scene.watch(2000)
        assert [at for at, _ in scene.probed] == [500.0, 510.0]
        assert scene.begun == [(510.0, "b.example")]

    asyncio.run(main())


def test_one_destination_of_many_domains_is_probed_once() -> None:
    async def main() -> None:
        scene = Scene()
        for name in ("a.example", "b.example", "c.example"):
            await scene.world.hold(await scene.host(name, hold=HoldPolicy.ON_RETURN), 1)
        await scene.world.hold(
            await scene.host("d.example", PORT + 1, hold=HoldPolicy.ON_RETURN), 1
        )
        await scene.watch(5)
        assert sorted(port for _, port in scene.probed) == [PORT, PORT + 1]

    asyncio.run(main())


def test_a_relay_hands_over_at_once_and_then_after_growing_pauses() -> None:
    async def main() -> None:
        scene = Scene(takes=False)
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        scene.acts[7.0] = lambda: scene.mail(domain)
        await scene.watch(10000)
        assert [at for at, _ in scene.begun] == [7.0, 307.0, 907.0, 2107.0, 4507.0, 8107.0]
        assert scene.probed == []

    asyncio.run(main())


def test_mail_that_comes_in_the_pause_waits_for_its_end() -> None:
    async def main() -> None:
        scene = Scene(takes=False)
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        scene.acts |= {0.0: lambda: scene.mail(domain), 50.0: lambda: scene.mail(domain)}
        await scene.watch(350)
        assert [at for at, _ in scene.begun] == [0.0, 300.0]

    asyncio.run(main())


def test_a_relay_that_has_been_emptied_begins_anew() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        scene.acts |= {0.0: lambda: scene.mail(domain), 50.0: lambda: scene.mail(domain)}
        await scene.watch(100)
        assert [at for at, _ in scene.begun] == [0.0, 50.0]

    asyncio.run(main())


def test_a_drain_that_leaves_mail_behind_is_followed_by_another_while_it_is_up() -> None:
    async def main() -> None:
        scene = Scene(up={PORT}, takes=False)
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        await scene.world.hold(domain, 1)
        await scene.watch(1000)
        assert [at for at, _ in scene.begun] == [10.0, 310.0, 910.0]

    asyncio.run(main())


def test_a_return_makes_an_end_of_pauses() -> None:
    async def main() -> None:
        scene = Scene(up={PORT}, takes=False)
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        await scene.world.hold(domain, 1)

        async def flicker() -> None:
            scene.up ^= {PORT}

        scene.acts |= {1000.0: flicker, 1100.0: flicker}
        await scene.watch(1400)
        before = [at for at, _ in scene.begun if at < 1000.0]
        after = [at for at, _ in scene.begun if at > 1000.0]
        assert before == [10.0, 310.0, 910.0]
        [back] = [
            at for at in after if at < 1300.0
        ]  # long before 2110, where the next would have been
        assert 1100.0 < back < 1300.0

    asyncio.run(main())


@pytest.mark.parametrize("error", [CannotStart("the server is stopping"), StoreError("disk full")])
def test_a_start_that_fails_is_tried_again(error: Exception) -> None:
    async def main() -> None:
        scene = Scene(error=error)
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        await scene.world.hold(domain, 1)
        await scene.watch(400)
        assert [at for at, _ in scene.begun] == [0.0, 300.0]
        assert len(scene.world.log.of(StoreFailed)) == isinstance(error, StoreError)

    asyncio.run(main())


def test_a_drain_that_somebody_asked_for_is_left_alone() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        await scene.world.hold(domain, 1)
        scene.draining.add(domain.id)

        async def end() -> None:
            scene.draining.clear()
            scene.watcher.drain_ended(domain.id)

        scene.acts[40.0] = end
        await scene.watch(500)
        assert [at for at, _ in scene.begun] == [340.0]

    asyncio.run(main())


def test_mail_that_a_drain_elsewhere_leaves_behind_is_not_forgotten() -> None:
    """Its end is no event here; its server may die, and nobody else may look."""

    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        await scene.world.hold(domain, 1)
        scene.elsewhere.add(domain.id)

        async def end() -> None:
            scene.elsewhere.clear()

        scene.acts[40.0] = end
        await scene.watch(500)
        assert [at for at, _ in scene.begun] == [300.0]

    asyncio.run(main())


def test_a_request_that_joins_a_drain_elsewhere_is_looked_after() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)
        await scene.world.hold(domain, 1)
        begin = scene.start

        async def join(of: HostedDomain) -> None:
            if not scene.begun:  # another server was faster
                scene.elsewhere.add(of.id)
                scene.begun.append((scene.clock, of.name))
            else:
                await begin(of)

        async def end() -> None:
            scene.elsewhere.clear()

        scene.start = join  # type: ignore[method-assign,assignment]
        scene.acts[40.0] = end
        await scene.watch(500)
        assert [at for at, _ in scene.begun] == [0.0, 300.0]

    asyncio.run(main())


def test_a_suspended_domain_is_left_in_peace_until_it_is_over() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        suspension = Suspension("not paid", until=scene.world.now + 1000)
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY, suspension=suspension)
        await scene.world.hold(domain, 1)
        scene.acts[100.0] = lambda: scene.mail(domain)
        await scene.watch(1100)
        [(at, _)] = scene.begun
        assert 1000.0 <= at <= 1060.0

    asyncio.run(main())


def test_mail_held_again_by_hand_is_found_within_a_minute() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.RELAY)

        async def hold_silently() -> None:
            await scene.world.hold(domain, 1)

        scene.acts[90.0] = hold_silently
        await scene.watch(300)
        assert [at for at, _ in scene.begun] == [120.0]

    asyncio.run(main())


def test_a_domain_that_takes_mail_only_when_down_is_watched_without_mail() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        domain = await scene.host(
            "b.example", hold=HoldPolicy.ON_RETURN, accept=AcceptPolicy.WHEN_DOWN
        )
        seen: dict[float, Any] = {}

        async def look() -> None:
            sighting = scene.watcher.sighting(domain.destination)
            assert sighting is not None
            assert scene.watcher.seen(domain.destination) is sighting.seen
            since = None if sighting.since is None else sighting.since - scene.began
            seen[scene.clock] = (
                sighting.seen,
                since,
                sighting.next_probe_at - scene.began,
                sighting.reason,
            )

        async def leave() -> None:
            scene.up.clear()

        scene.acts |= {5.0: look, 15.0: look, 100.0: leave, 199.0: look}
        await scene.watch(200)
        assert seen == {
            5.0: (DestinationState.UNKNOWN, None, pytest.approx(11.0, abs=5.0), ""),
            15.0: (
                DestinationState.UP,
                pytest.approx(11.0, abs=5.0),
                pytest.approx(50.0, abs=10.0),
                "",
            ),
            199.0: (
                DestinationState.AWAY,
                pytest.approx(150.0, abs=40.0),
                pytest.approx(220.0, abs=21.0),
                "connection refused",
            ),
        }
        assert scene.begun == []
        assert scene.watcher.sighting(Destination("192.0.2.77")) is None

    asyncio.run(main())


def test_a_change_of_the_records_is_seen_at_once() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example")
        await scene.world.hold(domain, 1)

        async def relay() -> None:
            await scene.host("b.example", hold=HoldPolicy.RELAY)
            scene.watcher.records_changed()

        scene.acts[5.0] = relay
        await scene.watch(10)
        assert [at for at, _ in scene.begun] == [5.0]

    asyncio.run(main())


def test_each_account_is_told_of_its_own_domains() -> None:
    async def main() -> None:
        scene = Scene()
        await scene.world.store.records.put_account(account("beta"), audit())
        policy = Policy(hold=HoldPolicy.ON_RETURN, probe=ProbePolicy.OFF)
        mine = await scene.world.host(PORT, "a.example", policy=policy)
        yours = await scene.world.host(PORT, "b.example", account="beta", policy=policy)
        await scene.world.hold(mine, 1)
        await scene.world.hold(yours, 1)
        await scene.watch(20)
        told = [(line["account"], line["domains"]) for line in scene.world.log.of(PrimaryAway)]
        assert sorted(told) == [("alpha", ("a.example",)), ("beta", ("b.example",))]

    asyncio.run(main())


# Destinations that no policy needs


async def kept(scene: Scene, account: str = "alpha", port: int = PORT) -> list[PresenceChange]:
    """Return the changes in the store, oldest first."""
    found = await scene.world.store.presence.presence_changes(
        account, f"127.0.0.1:{port}", before=None, limit=100
    )
    return [change for _, change in found][::-1]


def test_every_destination_is_greeted_once_a_minute() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        await scene.host("b.example", probe=ProbePolicy.ON)
        await scene.watch(200)
        # Some time in the first minute, soon again because it is in doubt, then every minute.
        assert [at for at, _ in scene.greeted] == [30.0, 40.0, 100.0, 160.0]
        assert (scene.probed, scene.begun) == ([], [])

    asyncio.run(main())


def test_a_destination_of_many_domains_is_greeted_once() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        for name in ("a.example", "b.example", "c.example"):
            await scene.host(name, probe=ProbePolicy.ON)
        await scene.watch(35)
        assert scene.greeted == [(30.0, PORT)]

    asyncio.run(main())


def test_no_destination_is_greeted_where_the_operator_wants_none() -> None:
    async def main() -> None:
        scene = Scene(up={PORT}, presence=PresenceSettings(probes=False))
        await scene.host("b.example", probe=ProbePolicy.ON)
        await scene.watch(200)
        assert scene.greeted == []

    asyncio.run(main())


def test_a_change_of_the_setting_is_obeyed_at_once() -> None:
    async def main() -> None:
        scene = Scene(up={PORT}, presence=PresenceSettings(probes=False))
        await scene.host("b.example", probe=ProbePolicy.ON)

        async def turn_on() -> None:
            scene.presence = PresenceSettings()
            scene.watcher.settings_changed()

        scene.acts[10.0] = turn_on
        await scene.watch(55)
        assert scene.greeted[0] == (40.0, PORT)

    asyncio.run(main())


def test_an_outage_is_seen_told_and_kept() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        await scene.host("b.example", probe=ProbePolicy.ON)

        async def flip() -> None:
            scene.up ^= {PORT}

        scene.acts |= {130.0: flip, 300.0: flip}
        await scene.watch(400)
        times = [(round(one.at - scene.began), one.seen, one.reason) for one in await kept(scene)]
        assert times == [
            (40, DestinationState.UP, ""),
            (170, DestinationState.AWAY, "connection refused"),
            (360, DestinationState.UP, ""),
        ]
        assert len(scene.world.log.of(PrimaryAway)) == len(scene.world.log.of(PrimaryBack)) == 1

    asyncio.run(main())


def test_a_state_that_lasts_over_a_restart_is_one_state() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", probe=ProbePolicy.ON)
        await scene.watch(100)
        [before] = await kept(scene)

        async def look() -> None:
            sighting = scene.watcher.sighting(domain.destination)
            assert sighting is not None
            assert (sighting.seen, sighting.since) == (DestinationState.AWAY, before.at)

        again = Scene(scene.world)
        again.acts[90.0] = look
        scene = again
        await scene.watch(100)
        assert await kept(scene) == [before]
        assert len(scene.world.log.of(PrimaryAway)) == 1, "nobody is told twice"

    asyncio.run(main())


def test_a_return_during_a_restart_is_told() -> None:
    async def main() -> None:
        scene = Scene()
        await scene.host("b.example", probe=ProbePolicy.ON)
        await scene.watch(100)
        again = Scene(scene.world, up={PORT})
        await again.watch(100)
        assert [one.seen for one in await kept(again)] == [
            DestinationState.AWAY,
            DestinationState.UP,
        ]
        assert len(again.world.log.of(PrimaryBack)) == 1

    asyncio.run(main())


def test_a_destination_with_a_connection_of_a_drain_is_not_disturbed() -> None:
    """It may take few connections, and it answers."""

    async def main() -> None:
        scene = Scene(busy={f"127.0.0.1:{PORT}"})
        domain = await scene.host("b.example", probe=ProbePolicy.ON)

        async def end() -> None:
            sighting = scene.watcher.sighting(domain.destination)
            assert sighting is not None
            assert sighting.seen is DestinationState.UP
            scene.busy.clear()
            scene.up.add(PORT)

        scene.acts[50.0] = end
        await scene.watch(120)
        assert [at for at, _ in scene.greeted] == [100.0]

    asyncio.run(main())


def test_a_domain_that_is_not_probed_any_more_is_unknown() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        await scene.host("b.example", probe=ProbePolicy.ON)

        async def turn_off() -> None:
            await scene.host("b.example", probe=ProbePolicy.OFF)
            scene.watcher.records_changed()

        scene.acts[50.0] = turn_off
        await scene.watch(200)
        assert [one.seen for one in await kept(scene)] == [
            DestinationState.UP,
            DestinationState.UNKNOWN,
        ]
        assert len(scene.greeted) == 2

    asyncio.run(main())


def test_mail_that_leaves_on_return_leaves_at_once_where_the_destination_is_known_to_be_up() -> (
    None
):
    async def main() -> None:
        scene = Scene(up={PORT})
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN, probe=ProbePolicy.ON)
        scene.acts[70.0] = lambda: scene.mail(domain)
        await scene.watch(90)
        assert scene.begun == [(70.0, "b.example")]

    asyncio.run(main())


def test_mail_that_leaves_on_return_has_a_destination_looked_at_that_is_away() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN, probe=ProbePolicy.ON)
        scene.acts[70.0] = lambda: scene.mail(domain)
        await scene.watch(75)
        assert scene.probed == [(70.0, PORT)]

    asyncio.run(main())


def test_hosts_that_do_not_answer_hold_up_no_others() -> None:
    """Each waits long for its timeout; the others have a lane of their own."""

    async def main() -> None:
        scene = Scene(up={PORT})
        absent = range(PORT + 1, PORT + 1 + 2 * GREETINGS_AT_ONCE)
        for port in absent:
            await scene.host(f"d{port}.example", port, probe=ProbePolicy.ON)
        await scene.host("b.example", probe=ProbePolicy.ON)
        forever = asyncio.Event()
        greet = scene.greet

        async def hang(destination: Destination) -> str:
            reason = await greet(destination)
            if reason and scene.clock > 60.0:
                await forever.wait()
            return reason

        scene.greet = hang  # type: ignore[method-assign]
        await scene.watch(200)
        assert [at for at, port in scene.greeted if port == PORT] == [30.0, 40.0, 100.0, 160.0]
        late = [port for at, port in scene.greeted if at > 60.0 and port != PORT]
        assert len(late) == GREETINGS_AT_ONCE

    asyncio.run(main())


def ended(domain: HostedDomain, **fields: Any) -> DeliveryAttempt:
    """Return the end of a connection to a domain's destination."""
    counts = {"delivered": 0, "deferred": 0, "refused": 0, "seconds": 1.0} | fields
    return DeliveryAttempt(
        domain="b.example", destination=domain.destination.text, end="quit", reason="", **counts
    )


@pytest.mark.parametrize("outcome", ["delivered", "refused"])
def test_a_destination_that_took_or_refused_mail_is_up_at_once(outcome: str) -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        await scene.world.hold(domain)
        seen: list[DestinationState] = []

        async def deliver() -> None:
            seen.append(scene.watcher.seen(domain.destination))
            scene.watcher.connection_ended(ended(domain, **{outcome: 1}))
            seen.append(scene.watcher.seen(domain.destination))

        scene.acts[50.0] = deliver
        await scene.watch(60)
        assert seen == [DestinationState.AWAY, DestinationState.UP]
        assert [line["destination"] for line in scene.world.log.of(PrimaryBack)] != []
        assert scene.begun != []  # mail of its other domains follows

    asyncio.run(main())


def test_a_connection_without_a_delivery_has_the_destination_probed_now() -> None:
    async def main() -> None:
        scene = Scene(up={PORT}, takes=False)
        domain = await scene.host("b.example", accept=AcceptPolicy.WHEN_DOWN)

        async def fail() -> None:
            scene.up.clear()
            scene.probed.clear()
            scene.watcher.connection_ended(ended(domain))

        scene.acts[33.0] = fail
        await scene.watch(34)
        assert (
            scene.watcher.seen(domain.destination) is DestinationState.UP
        )  # one probe proves nothing
        assert scene.probed == [(33.0, PORT)]

    asyncio.run(main())


def test_a_destination_that_was_never_probed_is_probed_once_a_drain_fails_there() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example", probe=ProbePolicy.ON)

        async def fail() -> None:
            assert (scene.greeted, scene.probed) == ([], [])
            scene.watcher.connection_ended(ended(domain))

        scene.acts[5.0] = fail
        await scene.watch(6)
        assert scene.greeted == [(5.0, PORT)]

    asyncio.run(main())


def test_a_destination_that_is_not_watched_is_left_alone() -> None:
    async def main() -> None:
        scene = Scene()
        domain = await scene.host("b.example")

        async def deliver() -> None:
            scene.watcher.connection_ended(ended(domain, delivered=1))

        scene.acts[5.0] = deliver
        await scene.watch(10)
        assert scene.watcher.sighting(domain.destination) is None

    asyncio.run(main())


@pytest.mark.parametrize("outcome", ["delivered", "refused", "deferred", "uncertain"])
def test_connections_to_a_destination_that_is_up_change_nothing(outcome: str) -> None:
    """A primary may close after each of ten thousand messages, or put them all off."""

    async def main() -> None:
        scene = Scene(up={PORT}, takes=False)
        domain = await scene.host("b.example", accept=AcceptPolicy.WHEN_DOWN)
        before: list[object] = []

        async def deliver() -> None:
            before.append(scene.watcher.sighting(domain.destination))
            scene.probed.clear()
            for _ in range(1000):
                scene.watcher.connection_ended(ended(domain, **{outcome: 1}))
            before.append(scene.watcher.sighting(domain.destination))
            assert len(scene.watcher._agenda) < 10

        scene.acts[33.0] = deliver
        await scene.watch(34)
        assert before[0] == before[1]
        assert scene.probed == []

    asyncio.run(main())
