"""The mail of an attempt, from the supply to the settlement."""

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from restante.delivery.attempt_end import AttemptTally
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    AttemptEnded,
)
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import Policy
from tests.delivery.drained import drained, numbers, play
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World, until
from tests.smtp.client_talk import mail


def test_a_deferred_message_is_tried_again_after_the_others() -> None:
    primary = ScriptedPrimary(script={"CONTENT": ["451 busy"]})
    world = drained(5, primary, connections=1)
    assert numbers(primary) == [2, 3, 4, 5, 1]
    assert len(world.pauses) == 1


def test_no_more_is_sent_than_can_be_doubled_while_the_store_is_slow() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, primary: ScriptedPrimary, domain: HostedDomain) -> None:
        settle, may_go_on = world.store.handover.settle, asyncio.Event()

        async def settle_slowly(*arguments: Any) -> None:
            await may_go_on.wait()
            await settle(*arguments)

        world.intercept("settle", settle_slowly)
        await world.hold(domain, 300)
        draining = asyncio.ensure_future(world.drain(domain))
        await until(lambda: len(primary.taken) >= UNSETTLED_PER_CONNECTION)
        for _ in range(200):
            await asyncio.sleep(0)
        most = len(primary.taken)
        may_go_on.set()
        await draining
        assert most <= UNSETTLED_PER_CONNECTION + 1

    play(World(), primary, scene, connections=1)
    assert sorted(numbers(primary)) == list(range(1, 301))


def test_an_attempt_that_cannot_read_held_mail_says_so_in_the_log_and_as_last_error() -> None:
    """No connection was made, so that no line of one tells it."""
    errors: list[str] = []

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        async def fail(*_arguments: object, **_options: object) -> None:
            raise StoreError("reading: database disk image is malformed")

        await world.hold(domain, 1)
        world.intercept("held", fail)
        world.set(patience=0)
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            while list(dispatcher.drains()):
                errors.append(next(dispatcher.drains()).last_error)
                await asyncio.sleep(0)

    world = World()
    play(world, ScriptedPrimary(), scene)
    [line] = world.log.of(AttemptEnded)
    assert (line["end"], line["tried"]) == ("stopped", 0)
    assert "malformed" in line["reason"]
    assert "malformed" in errors[-1]


@dataclass
class ListedSupply:
    """A supply of some messages, without a store."""

    messages: list[HeldMessage]
    left_behind: int = 0
    mark: int = 0
    is_low: bool = False
    is_exhausted: bool = True

    @property
    def is_empty(self) -> bool:
        return not self.messages

    def take(self, _client: None) -> HeldMessage | None:
        return self.messages.pop(0) if self.messages else None

    def give_back(self, message: HeldMessage, *, took_mail: bool) -> bool:
        self.messages.insert(0, message)
        return took_mail


class ListedOutcomes:
    """A settlement and a log that only list."""

    def __init__(self) -> None:
        self.settled: list[MessageOutcome] = []
        self.unsettled = 0

    def add(self, outcome: MessageOutcome) -> None:
        self.settled.append(outcome)

    def record(self, _message: HeldMessage, outcome: MessageOutcome, _: str) -> RecipientMove:
        return outcome.recipients[0].move


def attempt_mail(supply: ListedSupply, outcomes: ListedOutcomes) -> AttemptMail:
    domain = SimpleNamespace(policy=Policy())
    attempt: Any = SimpleNamespace(
        plan=SimpleNamespace(domain=domain),
        supply=supply,
        settlement=outcomes,
        drain_log=outcomes,
        tally=AttemptTally(),
    )
    return AttemptMail(attempt)


def test_all_was_tried_only_when_no_message_is_in_hand() -> None:
    outcomes = ListedOutcomes()
    held = attempt_mail(ListedSupply([mail(1)]), outcomes)
    message = held.take(None)
    assert message is not None
    assert (held.is_read_due, held.unsettled) == (False, 1)
    held.record_deferred(message, "it was lost")
    assert (held.is_read_due, held.unsettled) == (True, 0)
    assert [one.number for one in outcomes.settled] == [1]


def test_a_message_that_is_given_back_has_no_outcome_and_is_taken_again() -> None:
    outcomes = ListedOutcomes()
    held = attempt_mail(ListedSupply([mail(1)]), outcomes)
    message = held.take(None)
    assert message is not None
    assert held.give_back_after_mail(message)
    assert (held.unsettled, outcomes.settled) == (0, [])
    assert held.take(None) is message
