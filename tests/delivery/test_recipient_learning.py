"""The mailboxes that drains learn, and those that they must not learn."""

import asyncio
from typing import Any

from restante.delivery.recipient_learning import RecipientLearning
from restante.mail.reply_status import read_reply_status
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.store.live_recipients import LiveRecipients
from restante.tenancy.policy import DAY, Policy, RecipientPolicy
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World

NOBODY = "550 5.1.1 no such mailbox"


def outcome(**moves: tuple[RecipientMove, str]) -> MessageOutcome:
    return MessageOutcome(
        1,
        tuple(
            RecipientOutcome(f"{name}@b.example", move, said, status=read_reply_status(said))
            for name, (move, said) in moves.items()
        ),
    )


TAKEN = (RecipientMove.DELIVERED, "")


def test_whom_the_destination_took_and_whom_it_does_not_know() -> None:
    learning = RecipientLearning()
    learning.take(
        outcome(
            Anna=TAKEN,
            bert=(RecipientMove.REFUSED, NOBODY),
            carl=(RecipientMove.REFUSED, "550 5.7.1 you are spam"),
            dora=(RecipientMove.DEFERRED, "450 4.1.1 later"),
            emil=(RecipientMove.REFUSED, "551 5.1.6 moved"),
        )
    )
    assert learning.learned(7.0) == [
        Recipient("anna", RecipientSource.DRAIN, is_there=True, at=7.0),
        Recipient("bert", RecipientSource.DRAIN, is_there=False, at=7.0),
        Recipient("emil", RecipientSource.DRAIN, is_there=False, at=7.0),
    ]


def test_a_destination_that_knows_nobody_teaches_nothing() -> None:
    """It has lost its list, and would have us refuse everybody's mail."""
    learning = RecipientLearning()
    learning.take(
        outcome(anna=(RecipientMove.REFUSED, NOBODY), bert=(RecipientMove.REFUSED, NOBODY))
    )
    assert learning.learned(7.0) == []


def test_our_own_refusal_teaches_nothing() -> None:
    learning = RecipientLearning()
    learning.take(outcome(anna=TAKEN))
    learning.take(
        MessageOutcome(
            2,
            (
                RecipientOutcome(
                    "bert@b.example",
                    RecipientMove.REFUSED,
                    NOBODY,
                    status=read_reply_status(NOBODY),
                ),
            ),
            is_ours=True,
        )
    )
    assert [one.name for one in learning.learned(7.0)] == ["anna"]


def drained(world: World, policy: Policy) -> LiveRecipients:
    """Drain mail to somebody who is there and to somebody who is not; return what is known then."""
    recipients = LiveRecipients(world.store.recipients, world.directory)
    script: dict[str, Any] = {"RCPT TO:<bert": NOBODY}

    async def main() -> None:
        world.learn = recipients.learn
        async with ScriptedPrimary(script) as primary:
            domain = await world.host(primary.port, policy=policy)
            await recipients.load()
            await world.hold(domain, 1, "anna@b.example")
            await world.hold(domain, 1, "bert@b.example")
            await world.drain(domain)

    asyncio.run(main())
    return recipients


def test_a_drain_teaches_the_store_and_the_memory() -> None:
    world = World()
    recipients = drained(world, Policy(recipients=RecipientPolicy.LEARNED))
    book = recipients.of(1)
    assert book is not None
    assert {name: is_there for name, (is_there, _) in book.learned.items()} == {
        "anna": True,
        "bert": False,
    }
    kept = asyncio.run(world.store.recipients.recipients(1, None, 9))
    assert [(one.name, one.source, one.is_there) for one in kept] == [
        ("anna", "drain", True),
        ("bert", "drain", False),
    ]


def test_where_nobody_wants_to_know_nothing_is_kept() -> None:
    world = World()
    drained(world, Policy(recipients=RecipientPolicy.LIST))
    assert asyncio.run(world.store.recipients.recipients(1, None, 9)) == []


def test_a_known_recipient_is_written_again_only_when_it_is_old() -> None:
    world = World()
    written: list[int] = []

    async def main() -> None:
        domain = await world.host(25, policy=Policy(recipients=RecipientPolicy.LEARNED))
        recipients = LiveRecipients(world.store.recipients, world.directory)
        await recipients.load()
        learn = world.store.recipients.learn

        async def count(domain_id: int, facts: Any) -> None:
            written.append(len(facts))
            await learn(domain_id, facts)

        world.intercept("learn", count)
        for at in (0.0, 0.5 * DAY, 1.1 * DAY):
            await recipients.learn(
                domain.id, [Recipient("anna", RecipientSource.DRAIN, is_there=True, at=at + DAY)]
            )
        await recipients.learn(
            domain.id, [Recipient("anna", RecipientSource.DRAIN, is_there=False, at=2.2 * DAY)]
        )

    asyncio.run(main())
    assert written == [1, 1, 1]
