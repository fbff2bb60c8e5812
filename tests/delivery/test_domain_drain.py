"""Drains over real sockets on loopback: the delivered mail, its order, and the rest."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from restante.delivery.settlement import PAUSES
from restante.queue.recipient_status import RecipientStatus
from restante.store.store_errors import LeaseLost, StoreError
from restante.telemetry.events import (
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DrainStarted,
    Event,
    MessageDelivered,
)
from restante.tenancy.model import HostedDomain, TlsUse
from tests.delivery.drained import Run, drained, numbers, play, still_held
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import DOMAIN, World
from tests.wire import audit


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_everything_held_is_delivered_once_and_is_gone(run: Run) -> None:
    primary = ScriptedPrimary()
    world = drained(1000, primary, run=run)
    assert sorted(numbers(primary)) == list(range(1, 1001))
    assert (world.end["reason"], world.end["delivered"]) == ("everything was handed over", 1000)
    assert not still_held(world)
    assert not world.pauses
    assert world.store.handover.open_drains() == []


def test_one_connection_delivers_the_oldest_first() -> None:
    primary = ScriptedPrimary()
    drained(300, primary, connections=1)
    assert numbers(primary) == list(range(1, 301))


def test_without_pipelining_all_is_delivered_too() -> None:
    primary = ScriptedPrimary(offer=())
    drained(30, primary)
    assert sorted(numbers(primary)) == list(range(1, 31))


def test_a_message_is_logged_with_where_it_went_and_what_was_said() -> None:
    primary = ScriptedPrimary(script={"CONTENT": "250 2.0.0 queued as 4711"})
    world = drained(1, primary)
    (line,) = world.log.of(MessageDelivered)
    expected = {
        "message": "1",
        "message_id": "",
        "domain": DOMAIN,
        "destination": f"127.0.0.1:{primary.port}",
        "recipients": 1,
        "forward_paths": line["forward_paths"],
    }
    [path] = line["forward_paths"]
    assert path.endswith(f"@{DOMAIN}")
    assert line == {**expected, "reply": "250 2.0.0 queued as 4711"}
    (attempt,) = world.log.of(DeliveryAttempt)
    assert (attempt["delivered"], attempt["end"], attempt["outstanding"]) == (1, "quit", 0)


def test_each_recipient_gets_its_own_outcome_in_the_store() -> None:
    script: dict[str, str | list[str]] = {
        "RCPT TO:<b@": "450 4.2.1 later",
        "RCPT TO:<c@": "550 5.1.1 nobody",
    }
    primary = ScriptedPrimary(script=script)
    world = World()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 1, "a@b.example", "b@b.example", "c@b.example")
        world.set(patience=0)
        await world.drain(domain)
        assert await world.words(1) == [
            ("b@b.example", RecipientStatus.HELD, "450 4.2.1 later"),
            ("c@b.example", RecipientStatus.REFUSED, "550 5.1.1 nobody"),
        ]
        script["RCPT TO:<b@"] = "250 OK"
        await world.drain(domain)
        assert await world.words(1) == [
            ("c@b.example", RecipientStatus.REFUSED, "550 5.1.1 nobody")
        ]

    play(world, primary, scene)
    assert [taken.forward_paths for taken in primary.taken] == [("a@b.example",), ("b@b.example",)]
    assert [line["forward_path"] for line in world.log.of(DeliveryRefused)] == ["c@b.example"]
    assert [line["forward_path"] for line in world.log.of(DeliveryDeferred)] == ["b@b.example"]


@pytest.mark.parametrize("reply", ["452 4.5.3 enough", "550 5.5.3 enough", "552 enough"])
def test_recipients_that_are_too_many_for_one_transaction_follow_at_once(reply: str) -> None:
    primary = FewRecipients(too_many=reply)
    world = World()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 1, *(f"{number}@b.example" for number in range(7)))
        await world.drain(domain)

    play(world, primary, scene)
    assert [len(taken.forward_paths) for taken in primary.taken] == [2, 2, 2, 1]
    assert world.pauses == []


@dataclass
class FewRecipients(ScriptedPrimary):
    """Takes two recipients in a transaction."""

    too_many: str = ""
    count: int = 0

    def answer(self, command: str) -> str:
        if command.startswith("MAIL"):
            self.count = 0
        if command.startswith("RCPT"):
            self.count += 1
            if self.count > 2:
                return self.too_many
        return super().answer(command)


def test_more_than_a_hundred_recipients_go_in_several_transactions() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, primary: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 1, *(f"{index}@b.example" for index in range(250)))
        await world.drain(domain)

    world = World()
    play(world, primary, scene)
    assert sorted(len(taken.forward_paths) for taken in primary.taken) == [50, 100, 100]
    assert not still_held(world)


def test_mail_that_the_server_cannot_take_is_refused_without_sending_it() -> None:
    primary = ScriptedPrimary(offer=("PIPELINING", "SIZE 10"))

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 1, content=b"far too long\r\n")
        await world.hold(domain, 1, "ü@b.example", content=b"x\r\n")
        await world.hold(domain, 1, content=b"short\r\n")
        await world.drain(domain)
        assert (await world.words(1))[0][1:] == (
            RecipientStatus.REFUSED,
            (
                f"552 5.3.4 Not sent: 14 octets are more than the 10 that 127.0.0.1:{primary.port}"
                " takes"
            ),
        )
        assert (await world.words(2))[0][2].startswith("550 5.6.7 ")

    play(World(), primary, scene)
    assert [taken.content for taken in primary.taken] == [b"short\r\n"]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("offer", [("PIPELINING",), ()])
def test_large_content_goes_out_whole(offer: tuple[str, ...], run: Run) -> None:
    rest = b"x" * 998 + b"\r\n.dotted\r\n"
    rest *= 600

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for _repeat in range(3):
            await world.hold_large(domain, b"Received: x\r\n", rest)
        await world.hold(domain, 2)
        await world.drain(domain)

    primary = ScriptedPrimary(offer=offer)
    play(World(), primary, scene, run)
    contents = [taken.content for taken in primary.taken]
    assert contents.count(b"Received: x\r\n" + rest) == 3
    assert len(contents) == 5


def test_damaged_content_is_parked_before_its_message_is_begun() -> None:
    """It would break the connection, and the messages pipelined beside it would be sent again."""
    primary = ScriptedPrimary(offer=("PIPELINING", "CHUNKING"))

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 3)
        await world.hold_large(domain, b"Received: x\r\n", b"lost\r\n")
        await world.hold(domain, 3)
        world.store.state.files.clear()
        await world.drain(domain)
        assert (await world.words(4))[0][2].startswith("damaged:")

    world = World()
    play(world, primary, scene, connections=1)
    assert numbers(primary) == [1, 2, 3, 5, 6, 7]
    assert primary.connections == 1


def test_mail_that_arrives_during_a_drain_joins_it() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, primary: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 5)
        settle = world.store.handover.settle

        async def settle_and_receive(*arguments: Any) -> None:
            await settle(*arguments)
            if world.held < 50:
                await world.hold(domain, 5)

        world.intercept("settle", settle_and_receive)
        await world.drain(domain)

    world = World()
    play(world, primary, scene)
    assert sorted(numbers(primary)) == list(range(1, world.held + 1))
    assert world.held >= 50
    assert len(world.log.of(DrainStarted)) == 1


# When the destination does not take its mail


def test_a_destination_that_cannot_be_reached_is_tried_until_patience_ends() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        world = World()
        world.set(patience=60.0, first_retry=5.0)

        async def main() -> None:
            domain = await world.host(port)
            await world.hold(domain, 3)
            await world.drain(domain)

        asyncio.run(main())
    assert len(world.pauses) >= 3
    assert sum(world.pauses) <= 60
    assert world.pauses == sorted(world.pauses)
    assert world.end["reason"].startswith("the time for attempts is over; ")
    assert still_held(world) == [1, 2, 3]
    assert world.store.handover.open_drains() == []
    assert {line["end"] for line in world.log.of(DeliveryAttempt)} == {"unreachable"}


def test_one_attempt_is_made_even_without_patience() -> None:
    primary = ScriptedPrimary()
    world = World()
    world.set(patience=0)
    drained(3, primary, world)
    assert len(primary.taken) == 3


def test_a_name_that_is_not_there_is_a_reason_to_wait() -> None:
    world = World()
    world.set(patience=10.0)
    drained(1, ScriptedPrimary(), world, host="p.internal")
    assert still_held(world) == [1]
    assert "no such name" in world.end["reason"]


def test_mail_is_not_sent_to_our_own_listener() -> None:
    """The listener is bound to every address: only the connection shows that it is ours."""
    primary = ScriptedPrimary()

    async def scene(world: World, primary: ScriptedPrimary, domain: HostedDomain) -> None:
        world.set(patience=0)
        await world.hold(domain, 1)
        world.own_addresses.append(("0.0.0.0", primary.port))
        await world.drain(domain)
        assert "this server itself" in world.end["reason"]

    play(World(), primary, scene)
    assert not primary.commands


def test_a_changed_destination_gets_the_rest_at_once() -> None:
    old, new = ScriptedPrimary(), ScriptedPrimary()

    async def main() -> None:
        async with old, new:
            domain = await world.host(old.port, connections=1)
            await world.hold(domain, 100)

            def change_after_fifty(_: Event) -> None:
                if len(world.log.of(MessageDelivered)) == 50 and not changes:
                    changes.append(asyncio.ensure_future(world.host(new.port, connections=1)))

            world.log.on_event = change_after_fifty
            await world.drain(domain)

    changes: list[asyncio.Future[HostedDomain]] = []
    world = World()
    asyncio.run(main())
    assert sorted(numbers(old) + numbers(new)) == list(range(1, 101))
    assert 50 <= len(old.taken) <= 53
    assert not world.pauses


def test_a_destination_that_changes_while_it_is_looked_up_gets_nothing() -> None:
    old, new = ScriptedPrimary(), ScriptedPrimary()
    world = World()
    world.names.table["p.internal"] = ["127.0.0.1"]

    async def main() -> None:
        async with old, new:
            domain = await world.host(old.port, host="p.internal")
            await world.hold(domain, 3)
            look_up = world.names.addresses

            async def change_meanwhile(name: str) -> Any:
                found = await look_up(name)
                await world.host(new.port)
                return found

            world.names.addresses = change_meanwhile  # type: ignore[method-assign]
            await world.drain(domain)

    asyncio.run(main())
    assert not old.taken
    assert len(new.taken) == 3


def test_a_domain_that_is_removed_gets_no_more_mail() -> None:
    primary = ScriptedPrimary(script={"GREETING": "421 later"})

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 1)

        async def remove() -> None:
            await world.store.queue.delete([1], audit())
            await world.store.records.remove_domain(domain.id, audit())
            await world.directory.refresh()

        world.on_pause = remove
        await world.drain(domain)
        assert world.end["reason"] == "the domain is no longer hosted"

    play(World(), primary, scene)


# The store


def test_a_failed_settlement_is_tried_again_and_not_forgotten() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        settle, failures = world.store.handover.settle, [StoreError("disk full")] * 3

        async def fail_at_first(*arguments: Any) -> None:
            if failures:
                raise failures.pop()
            await settle(*arguments)

        world.intercept("settle", fail_at_first)
        await world.hold(domain, 200)
        await world.drain(domain)

    world = World()
    play(world, primary, scene, connections=1)
    assert world.pauses == [0.1, 0.3, 1.0]
    assert sorted(numbers(primary)) == list(range(1, 201))
    assert not still_held(world)


def test_a_new_round_waits_until_the_last_one_is_settled() -> None:
    """Delivered mail that is not settled yet still looks held: it would be delivered twice."""
    primary = ScriptedPrimary(script={"CONTENT": ["451 later"]})

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        settle = world.store.handover.settle

        async def settle_slowly(*arguments: Any) -> None:
            for _ in range(300):
                await asyncio.sleep(0)
            await settle(*arguments)

        world.intercept("settle", settle_slowly)
        await world.hold(domain, 20)
        await world.drain(domain)

    play(World(), primary, scene, connections=1)
    assert sorted(numbers(primary)) == list(range(1, 21))


def test_unsettled_outcomes_get_one_last_try_when_the_drain_ends() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        settle, failures = (
            world.store.handover.settle,
            [StoreError("disk full")] * (len(PAUSES) + 1),
        )

        async def fail_for_long(*arguments: Any) -> None:
            if failures:
                raise failures.pop()
            await settle(*arguments)

        world.intercept("settle", fail_for_long)
        await world.hold(domain, 5)
        await world.drain(domain)

    world = World()
    play(world, primary, scene, connections=1)
    assert world.end["reason"] == "the store cannot record what was delivered"
    assert sorted([*numbers(primary), *still_held(world)]) == [1, 2, 3, 4, 5]


def test_a_store_that_does_not_recover_stops_the_drain_within_its_window() -> None:
    """The connections stop at 64 unsettled messages. All are still held, and may be sent twice."""
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        async def fail(*_: Any) -> None:
            raise StoreError("disk full")

        world.intercept("settle", fail)
        await world.hold(domain, 500)
        await world.drain(domain)

    world = World()
    play(world, primary, scene, connections=1)
    assert world.end["reason"] == "the store cannot record what was delivered"
    assert 0 < len(primary.taken) <= 66
    assert len(still_held(world)) == 500


def test_a_lost_lease_ends_the_drain_at_once() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        async def lose(*_: Any) -> None:
            raise LeaseLost("drain 1 was taken over")

        world.intercept("settle", lose)
        await world.hold(domain, 500)
        await world.drain(domain)
        assert len(world.store.handover.open_drains()) == 1, "it is the other's to close"

    world = World()
    play(world, primary, scene)
    assert world.end["reason"] == "drain 1 was taken over"
    assert not world.pauses


def test_held_mail_that_cannot_be_read_is_a_reason_to_wait() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        held, failures = world.store.handover.held, [StoreError("I/O error")]

        async def fail_once(*arguments: Any, **options: Any) -> Any:
            if failures:
                raise failures.pop()
            return await held(*arguments, **options)

        world.intercept("held", fail_once)
        await world.hold(domain, 3)
        await world.drain(domain)

    world = World()
    play(world, primary, scene)
    assert len(world.pauses) == 1
    assert len(primary.taken) == 3


def test_tls_off_is_plain_even_where_starttls_is_offered() -> None:
    primary = ScriptedPrimary(offer=("STARTTLS",))
    drained(1, primary, tls=TlsUse.OFF)
    assert "STARTTLS" not in primary.commands


def test_a_path_that_no_command_can_carry_is_refused_and_harms_nobody() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 1, "a@b.example>\r\nRCPT TO:<c@b.example")
        await world.hold(domain, 1)
        await world.drain(domain)
        assert (await world.words(1))[0][1:] == (
            RecipientStatus.REFUSED,
            "553 5.1.3 Not sent: an address has a character that no command can carry",
        )

    play(World(), primary, scene)
    assert [taken.forward_paths for taken in primary.taken] == [("b@b.example",)]
