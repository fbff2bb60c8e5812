"""Destinations that are watched: probes, states, and the notices about them."""

import asyncio
from typing import Any

import pytest

from restante.delivery.destination_watch import GREETINGS_AT_ONCE
from restante.delivery.presence_settings import PresenceSettings
from restante.queue.presence import DestinationState, PresenceChange
from restante.telemetry.events import DeliveryAttempt, PrimaryAway, PrimaryBack
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.policy import AcceptPolicy, HoldPolicy, Policy, ProbePolicy
from tests.contract.making import account
from tests.delivery.watching import PORT, Scene
from tests.wire import audit


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
