"""Mail that leaves without a request. The test's clock moves only when the watcher waits."""

import asyncio
from collections import Counter

import pytest

from restante.delivery.cannot_start import CannotStart
from restante.delivery.watcher import CONSIDERED_AT_ONCE
from restante.store.store_errors import StoreError
from restante.telemetry.events import PrimaryAway, PrimaryBack, StoreFailed
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import HoldPolicy, ProbePolicy, Suspension
from tests.delivery.watching import PORT, Scene


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


def test_only_while_mail_is_held_it_is_watched() -> None:
    async def main() -> None:
        scene = Scene(up={PORT})
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        scene.acts[500.0] = lambda: scene.mail(domain)
        await scene.watch(2000)
        assert [at for at, _ in scene.probed] == [500.0, 510.0]
        assert scene.begun == [(510.0, "b.example")]

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
