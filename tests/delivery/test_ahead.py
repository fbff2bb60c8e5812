"""Pipelined messages over real sockets: copies, no losses, and when pipelining is given up."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise

import pytest

from restante.queue.recipient_status import RecipientStatus
from restante.smtp.chunking_probe import PROBE_MAILS
from restante.smtp.window_size import FEWEST_MESSAGES, MOST_MESSAGES
from restante.store.handover_store import Drain, PastDrain
from restante.telemetry.events import DeliveryAttempt
from restante.tenancy.model import HostedDomain
from tests.delivery.scripted_primary import CLOSE, DROPS, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World, until

CHUNKING = ("PIPELINING", "CHUNKING", "8BITMIME")
TAKEN = "250 2.0.0 queued"


def chunking(script: Script | None = None) -> ScriptedPrimary:
    return ScriptedPrimary(script or {}, offer=CHUNKING)


def play(
    primary: ScriptedPrimary,
    scene: Callable[[World, HostedDomain], Awaitable[None]],
    connections: int = 1,
    **settings: object,
) -> World:
    world = World()
    world.set(**settings)

    async def main() -> None:
        async with primary:
            await scene(world, await world.host(primary.port, connections=connections))

    run_swiftly(main())
    return world


async def drain_in_turn(
    world: World, domain: HostedDomain, *before: Callable[[], Awaitable[None]]
) -> None:
    """Drain after each step, with one dispatcher. No polling, because only idle loops skip time."""
    close_drain, closed = world.store.handover.close_drain, asyncio.Event()

    async def close(drain: Drain, past: PastDrain | None = None) -> None:
        await close_drain(drain, past)
        closed.set()

    world.intercept("close_drain", close)  # `finish_drain` of this store ends there too
    async with world.dispatcher() as dispatcher:
        for act in before:
            await act()
            closed.clear()
            await dispatcher.start(domain, "test")
            await closed.wait()
            await until(lambda: not list(dispatcher.drains()))


def drained(
    primary: ScriptedPrimary, count: int, connections: int = 1, **settings: object
) -> World:
    async def scene(world: World, domain: HostedDomain) -> None:
        await drain_in_turn(world, domain, lambda: world.hold(domain, count))

    return play(primary, scene, connections, **settings)


def numbers(primary: ScriptedPrimary) -> list[int]:
    return [int(taken.content) for taken in primary.taken]


def manners(world: World) -> list[tuple[str, str]]:
    return [(line["manner"], line["end"]) for line in world.log.of(DeliveryAttempt)]


def still_held(world: World) -> list[int]:
    return asyncio.run(world.waiting(RecipientStatus.HELD))


def verbs(primary: ScriptedPrimary) -> set[str]:
    return {command.split(maxsplit=1)[0] for command in primary.commands}


def test_all_is_delivered_in_order_without_data_or_rset() -> None:
    primary = chunking()
    world = drained(primary, 500)
    assert numbers(primary) == list(range(1, 501))
    assert not still_held(world)
    assert manners(world) == [("ahead", "quit")]
    assert primary.commands.count("RSET") == 1, "the probe's"
    assert "DATA" not in verbs(primary)


def test_large_content_goes_as_it_is() -> None:
    primary = chunking()

    async def scene(world: World, domain: HostedDomain) -> None:
        await world.hold_large(domain, b"R: x\r\n", b".\r\n" * 60_000)
        await world.hold_large(domain, b"R: y\r\n", b"z" * 3_000_000)
        await world.hold(domain, 2)
        await world.drain(domain)

    play(primary, scene)
    assert [len(taken.content) for taken in primary.taken] == [6 + 180_000, 6 + 3_000_000, 3, 3]
    assert primary.taken[0].content == b"R: x\r\n" + b".\r\n" * 60_000


def test_an_operator_can_do_without() -> None:
    primary = chunking()
    assert manners(drained(primary, 3, run_ahead=False)) == [("data", "quit")]
    assert "BDAT" not in verbs(primary)


def test_a_lost_connection_makes_no_more_copies_than_the_window_and_loses_nothing() -> None:
    """The windows are of 1, 2, 16, then 64 messages. The loss falls into the last."""
    primary = chunking({"CONTENT": [*[TAKEN] * 110, CLOSE]})
    world = drained(primary, 300)
    copies = len(numbers(primary)) - 300
    assert set(numbers(primary)) == set(range(1, 301))
    assert copies == 110 - (1 + 2 + 16 + 64)
    assert copies <= MOST_MESSAGES
    assert not still_held(world)


def test_one_reply_too_many_makes_copies_of_that_window_only() -> None:
    primary = chunking({"CONTENT": [*[TAKEN] * 5, f"{TAKEN}\r\n250 and another"]})
    world = drained(primary, 40)
    assert set(numbers(primary)) == set(range(1, 41))
    assert len(numbers(primary)) == 40 + 16
    assert not still_held(world)


def test_421_in_mid_window_makes_no_copies() -> None:
    primary = chunking({"CONTENT": [*[TAKEN] * 30, "421 4.7.0 that is enough"]})
    world = drained(primary, 100)
    assert sorted(numbers(primary)) == list(range(1, 101))
    assert not still_held(world)


def test_where_the_first_window_stalls_data_is_spoken_for_a_day() -> None:
    primary = chunking({"CONTENT": [SILENCE]})

    async def scene(world: World, domain: HostedDomain) -> None:
        async def a_day_later() -> None:
            world.now += 86_401
            await world.hold(domain, 1)

        await drain_in_turn(
            world, domain, lambda: world.hold(domain, 3), lambda: world.hold(domain, 1), a_day_later
        )

    world = play(primary, scene)
    assert manners(world) == [
        ("ahead-in-vain", "broken"),
        ("data", "quit"),
        ("data", "quit"),
        ("ahead", "quit"),
    ]
    assert sorted(numbers(primary)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("answer", [CLOSE, SILENCE, "250 taken, for nobody", "this is no SMTP"])
def test_where_the_probe_goes_wrong_data_is_spoken_at_once(answer: str) -> None:
    primary = chunking({"BDAT": [answer]})
    world = drained(primary, 3)
    assert manners(world) == [("probed", "broken"), ("data", "quit")]
    assert numbers(primary) == [1, 2, 3]
    assert not world.pauses


BUSY = "421 4.7.0 too many errors"


@pytest.mark.parametrize(
    "script",
    [{"BDAT": BUSY}, {"MAIL FROM:<>": ["250 2.1.0 OK", BUSY]}],
    ids=["chunk", "second MAIL"],
)
def test_where_the_probe_meets_421_data_is_spoken_at_once(script: Script) -> None:
    """Each connection would end there, because the next one would probe again."""
    primary = chunking(script)
    world = drained(primary, 3)
    assert manners(world) == [("probed", "busy"), ("data", "quit")]
    assert numbers(primary) == [1, 2, 3]
    assert not world.pauses


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_where_the_command_for_chunks_is_refused_data_is_spoken_at_once(code: int) -> None:
    primary = chunking({"CONTENT": [f"{code} 5.5.1 what is BDAT?"]})
    world = drained(primary, 3)
    assert manners(world) == [("ahead-in-vain", "broken"), ("data", "quit")]
    assert sorted(numbers(primary)) == [1, 2, 3]
    assert not world.pauses


def test_where_connections_break_twice_within_an_hour_data_is_spoken() -> None:
    """The third connection makes one copy at most where the first two made many."""
    primary = chunking(
        {"CONTENT": [*[TAKEN] * 20, CLOSE, *[TAKEN] * 20, CLOSE, *[TAKEN] * 20, CLOSE]}
    )
    world = drained(primary, 100)
    used = [manner for manner, _ in manners(world)]
    assert used[:2] == ["ahead", "ahead"]
    assert set(used[2:]) == {"data"}
    assert set(numbers(primary)) == set(range(1, 101))
    assert not still_held(world)


def test_a_server_that_refuses_everything_gets_no_large_windows() -> None:
    primary = chunking({"RCPT": "450 4.2.0 greylisted"})
    world = drained(primary, 100, patience=0)
    assert len(still_held(world)) == 100
    assert primary.commands.count("RCPT TO:<b@b.example>") <= 3 * FEWEST_MESSAGES


def test_later_connections_use_the_probe_of_the_first() -> None:
    primary = chunking()
    drained(primary, 500, connections=4)
    assert primary.connections == 4
    assert primary.commands.count("MAIL FROM:<>") == PROBE_MAILS


def test_there_are_never_more_connections_than_configured() -> None:
    primary = chunking()
    drained(primary, 2000, connections=5, messages_per_connection=50)
    assert sorted(numbers(primary)) == list(range(1, 2001))
    assert primary.most_open == 5


class Watched(ScriptedPrimary):
    """Notes how many connections there have been at its first message."""

    made = 0

    def taken_by(self, _session: object) -> None:
        self.made = self.made or self.connections


def test_a_successor_is_made_before_the_last_message_has_its_reply() -> None:
    primary = Watched(seconds={"DATA": 5.0})
    drained(primary, 10, connections=2, messages_per_connection=1)
    assert sorted(numbers(primary)) == list(range(1, 11))
    assert primary.made == 2
    assert primary.most_open == 2


@pytest.mark.parametrize(("more", "lost"), [((), 49), (("DSN",), 49 - (4 + 8 + 16))])
def test_the_next_drain_begins_with_the_windows_of_the_last_if_the_offer_is_the_same(
    more: tuple[str, ...], lost: int
) -> None:
    """The connection is closed at its 50th message: of 64, or behind 4, 8 and 16."""
    primary = chunking({"CONTENT": [*[TAKEN] * 349, CLOSE]})

    async def scene(world: World, domain: HostedDomain) -> None:
        async def another() -> None:
            primary.offer = (*CHUNKING, *more)
            await world.hold(domain, 100)

        await drain_in_turn(world, domain, lambda: world.hold(domain, 300), another)

    play(primary, scene)
    assert set(numbers(primary)) == set(range(1, 401))
    assert len(numbers(primary)) - 400 == lost


def times_of(primary: ScriptedPrimary, connections: int, *counts: int) -> tuple[World, list[float]]:
    """Drain so many messages in turn; return how long each drain took, in seconds."""
    at: list[float] = []

    async def scene(world: World, domain: HostedDomain) -> None:
        async def hold(count: int) -> None:
            at.append(asyncio.get_running_loop().time())
            await world.hold(domain, count)

        await drain_in_turn(world, domain, *(partial(hold, count) for count in counts))
        at.append(asyncio.get_running_loop().time())

    world = play(primary, scene, connections)
    return world, [after - before for before, after in pairwise(at)]


@pytest.mark.parametrize("connections", [1, 4])
def test_silence_at_the_content_of_the_first_window_is_found_out_once(connections: int) -> None:
    """One message waits for half a minute, the others for a look. `content_timeout` is 600."""
    primary = ScriptedPrimary(offer=CHUNKING, is_silent_at_chunks=True)
    world, [first, second] = times_of(primary, connections, 300, 20)
    assert sorted(numbers(primary)) == list(range(1, 321))
    assert first < 45
    assert second < 5
    assert [manner for manner, _ in manners(world)].count("ahead-in-vain") == 1
    assert not world.pauses


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("behind", [DROPS, CLOSE])
def test_a_server_that_reads_nothing_behind_a_chunk_is_found_out_once(
    behind: str, connections: int
) -> None:
    primary = ScriptedPrimary(offer=CHUNKING, behind_chunk=behind)
    world, [first, second] = times_of(primary, connections, 300, 20)
    assert set(numbers(primary)) == set(range(1, 321))
    assert len(primary.taken) == 321, "one copy"
    assert (first < 15, second < 5) == (True, True)
    assert manners(world)[0] == ("ahead", "broken")


def test_the_content_of_a_single_message_gets_all_its_time_where_nothing_else_leaves() -> None:
    """RFC 5321 §4.5.3.2.6: the destination may be delivering it."""
    primary = ScriptedPrimary(offer=CHUNKING, is_silent_at_chunks=True)
    _, [first, second] = times_of(primary, 1, 1, 20)
    assert 600 <= first < 610
    assert second < 5


def test_a_slow_content_in_a_proven_window_delays_the_others_for_minutes_once() -> None:
    primary = chunking({"CONTENT": [*[TAKEN] * 150, SILENCE]})
    world, [first, second] = times_of(primary, 1, 300, 100)
    assert set(numbers(primary)) == set(range(1, 401))
    assert 180 <= first < 200
    assert second < 5
    assert [manner for manner, _ in manners(world)].count("ahead") == 1


@pytest.mark.parametrize("step", ["BDAT", "NOPE"])
def test_silence_in_the_probe_costs_less_than_a_minute(step: str) -> None:
    primary = chunking({step: [SILENCE]})
    _, [first] = times_of(primary, 1, 3)
    assert numbers(primary) == [1, 2, 3]
    assert first < 30
