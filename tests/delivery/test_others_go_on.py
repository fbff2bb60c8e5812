"""No message keeps others waiting, whatever the destination does with it."""

import asyncio
from dataclasses import dataclass

import pytest

from restante.delivery.attempt_connections import FIRST_SILENT_SECONDS
from restante.delivery.attempt_connections import SILENT_SECONDS as SILENT_WINDOW_SECONDS
from restante.delivery.connection_opener import IDLE_SECONDS
from restante.delivery.drain_attempt import SILENCE_SECONDS
from restante.mail.envelope import Envelope
from restante.telemetry.events import DrainFinished
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.test_ahead import drain_in_turn
from tests.delivery.world import DOMAIN, World

BAD = 12
GOOD = 20
SECONDS = 60.0  # of a fresh drain, which knows nothing of the destination
SILENT_SECONDS = 600.0  # the same: twice `reply_timeout`
OFFERS = [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")]

KINDS = {
    "MAIL 421": ("MAIL", "421 4.7.0 not from there"),
    "MAIL 500": ("MAIL", "500 5.5.2 syntax"),
    "MAIL 504": ("MAIL", "504 5.5.2 <root@localhost>: need fully-qualified address"),
    "MAIL 530": ("MAIL", "530 5.7.1 authenticate for local senders"),
    "MAIL closed": ("MAIL", CLOSE),
    "RCPT 421": ("RCPT", "421 4.7.0 go away"),
    "RCPT 504": ("RCPT", "504 5.5.2 need fully-qualified address"),
    "RCPT 550 5.7.9": ("RCPT", "550 5.7.9 this sender must authenticate"),
    "RCPT closed": ("RCPT", CLOSE),
    "RCPT full": ("RCPT", "452 4.2.2 mailbox full"),
    "content 421": ("CONTENT", "421 4.3.0 later"),
    "content 550 5.7.8": ("CONTENT", "550 5.7.8 spf"),
    "content closed": ("CONTENT", CLOSE),
    "MAIL garbled": ("MAIL", GARBAGE),
    "MAIL 299": ("MAIL", "299 hm"),
    "MAIL in two minds": ("MAIL", "250-yes\r\n550 no"),
    "MAIL too long": ("MAIL", "250-more\r\n" * 40_000 + "250 end"),
    "RCPT garbled": ("RCPT", "OK go on"),
    "RCPT 354": ("RCPT", "354 go on"),
    "RCPT one too many": ("RCPT", "250 ok\r\n250 ok"),
    "later RCPT garbled": ("RCPT TO:<c@", GARBAGE),
    "DATA garbled": ("DATA", GARBAGE),
}
SILENT = {
    "MAIL": ("MAIL", SILENCE),
    "RCPT": ("RCPT", SILENCE),
    "later RCPT": ("RCPT TO:<c@", SILENCE),
    "DATA": ("DATA", SILENCE),
}


@dataclass
class Touchy(ScriptedPrimary):
    """Answers so at one step of the mail of one sender, and takes all other mail."""

    step: str = "MAIL"
    reply: str = "421 no"
    is_bad: bool = False

    def answer(self, command: str) -> str:
        if command.startswith("MAIL"):
            self.is_bad = "bad@" in command
        if self.is_bad and command.startswith(self.step):
            return self.reply
        return super().answer(command)


def taken_within(primary: ScriptedPrimary, seconds: float) -> int:
    """Hold bad mail and good mail behind it; return how much good mail left within that time."""
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            for _ in range(BAD):
                await world.hold_asking(
                    domain, Envelope("bad@a.example", ("b@b.example", "c@b.example"))
                )
            await world.hold(domain, GOOD)
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "test")
                await asyncio.sleep(seconds)

    run_swiftly(main())
    return sum(taken.reverse_path == "a@a.example" for taken in primary.taken)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("kind", KINDS)
def test_mail_behind_mail_that_meets_this_leaves_all_the_same(
    kind: str, offer: tuple[str, ...]
) -> None:
    step, reply = KINDS[kind]
    assert taken_within(Touchy(offer=offer, step=step, reply=reply), SECONDS) == GOOD


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("kind", SILENT)
def test_mail_behind_mail_that_meets_silence_leaves_all_the_same(
    kind: str, offer: tuple[str, ...]
) -> None:
    step, reply = SILENT[kind]
    assert taken_within(Touchy(offer=offer, step=step, reply=reply), SILENT_SECONDS) == GOOD


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("kind", SILENT)
def test_one_message_that_meets_silence_delays_others_for_a_minute_at_most(
    kind: str, connections: int
) -> None:
    step, reply = SILENT[kind]
    primary = Touchy(offer=("PIPELINING",), step=step, reply=reply)
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=connections)
            await world.hold_asking(
                domain, Envelope("bad@a.example", ("b@b.example", "c@b.example"))
            )
            await world.hold(domain, GOOD)
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "test")
                idle = IDLE_SECONDS if connections == 1 else 0
                await asyncio.sleep(idle + 2 * SILENCE_SECONDS)

    run_swiftly(main())
    assert len(primary.taken) == GOOD
    assert primary.most_open == 2


def test_the_last_few_messages_leave_by_another_connection_too() -> None:
    """The drain may have four, and was content with one, because too few messages were left."""
    primary = Touchy(offer=("PIPELINING",), step="MAIL", reply=SILENCE)
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=4)
            await world.hold(domain, 1)
            await world.hold_asking(
                domain, Envelope("bad@a.example", ("b@b.example", "c@b.example"))
            )
            await world.hold(domain, 2)
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "test")
                await asyncio.sleep(2 * SILENCE_SECONDS)

    run_swiftly(main())
    assert len(primary.taken) == 3


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
def test_silence_in_a_window_delays_the_mail_behind_it_by_less_than_a_reply_may_take(
    step: str, connections: int
) -> None:
    primary = Touchy(offer=("PIPELINING", "CHUNKING"), step=step, reply=SILENCE)
    world = World()
    seconds = FIRST_SILENT_SECONDS + SILENT_WINDOW_SECONDS + 2 * SILENCE_SECONDS
    assert seconds < world.settings.reply_timeout

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=connections)
            await world.hold(domain, GOOD)
            await world.hold_asking(
                domain, Envelope("bad@a.example", ("b@b.example", "c@b.example"))
            )
            await world.hold(domain, GOOD)
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "test")
                await asyncio.sleep(seconds)
                assert len(await world.waiting()) == 1

    run_swiftly(main())
    assert len({taken.content for taken in primary.taken}) == 2 * GOOD


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("step", ["MAIL F", "RCPT", "CONTENT"])
def test_a_destination_that_hangs_is_left_in_bounded_time(
    step: str, offer: tuple[str, ...]
) -> None:
    """It gets few connections, and all its mail stays held."""
    primary = ScriptedPrimary({step: SILENCE, "MAIL FROM:<>": "250 ok"}, offer=offer)
    world = World()
    world.set(patience=0.0)
    at: list[float] = []

    async def hold() -> None:
        await world.hold(world.directory.now.domains[DOMAIN], 200)
        at.append(asyncio.get_running_loop().time())

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=4)
            await drain_in_turn(world, domain, hold)
            at.append(asyncio.get_running_loop().time())

    run_swiftly(main())
    [end] = world.log.of(DrainFinished)
    assert (end["delivered"], end["held"]) == (0, 200)
    assert at[1] - at[0] < (2400 if step == "CONTENT" else 900)
    assert primary.connections <= 24


@pytest.mark.parametrize("seconds", [40.0, 100.0, 170.0])
def test_a_destination_that_needs_its_time_gets_it(seconds: float) -> None:
    """Nothing is cut where late replies do come."""
    primary = ScriptedPrimary(offer=(), seconds={"MAIL": seconds})
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await drain_in_turn(world, domain, lambda: world.hold(domain, 30))

    run_swiftly(main())
    assert len(primary.taken) == 30
    assert not world.pauses


def test_a_message_behind_the_one_that_was_cut_is_no_suspect() -> None:
    """The first has its refusal. The next one, sent in the same flight as RSET, keeps its place."""
    primary = ScriptedPrimary(
        {"RSET": [CLOSE], "RCPT TO:<no@": "550 5.1.1 no", "DATA": ["554 5.5.1 no recipients"]}
    )
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)

            async def hold() -> None:
                await world.hold(domain, 1, "no@b.example")
                await world.hold(domain, 3)

            await drain_in_turn(world, domain, hold)

    run_swiftly(main())
    assert [taken.content for taken in primary.taken] == [b"2\r\n", b"3\r\n", b"4\r\n"]
    assert primary.connections == 2
    assert not world.pauses
