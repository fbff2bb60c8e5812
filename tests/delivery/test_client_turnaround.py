"""One connection of a client, several domains: the beginning of each, and the end."""

import asyncio
import gc
import weakref
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from restante.delivery.client_turnaround import UNSETTLED_MOST
from restante.delivery.turnaround_part import TurnaroundPart
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.queue.recipient_status import RecipientStatus
from restante.store.handover_store import Drain, PastDrain
from restante.store.store_errors import ContentUnreachable
from restante.telemetry.events import (
    DeliveryAttempt,
    DeliveryDeferred,
    DestinationRefuses,
    DrainFinished,
)
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import OnRefusal
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, Script, ScriptedPrimary
from tests.delivery.turning import ADDRESS, LOGIN, Turning, ended, wire_to
from tests.delivery.world import World, until
from tests.wire import NOW


async def past_of(world: World, domain: HostedDomain) -> PastDrain:
    return (await world.store.handover.past_drains([domain.id]))[domain.id]


def test_the_mail_of_all_its_domains_leaves_in_one_session() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            first, second = await turning.hosts("b.example", 3), await turning.hosts("c.example", 2)
            await turning.whole(dispatcher, client, first, second)
            assert client.connections == 1
            assert [one.forward_paths for one in client.taken] == [
                *[("x@b.example",)] * 3,
                *[("x@c.example",)] * 2,
            ]
            assert client.commands[0] == "EHLO mx2.example.net"
            assert client.commands[-1] == "QUIT"
            assert await world.waiting() == []
            assert world.store.handover.open_drains() == []
            for domain, count in ((first, 3), (second, 2)):
                past = await past_of(world, domain)
                assert (past.end, past.delivered) == (DrainEnd.FINISHED, count)
        destinations = {line["destination"] for line in world.log.of(DrainFinished)}
        assert destinations == {"turnaround 203.0.113.5 (login acme-mail)"}

    asyncio.run(main())


AHEAD = ("PIPELINING", "CHUNKING", "STARTTLS", "AUTH PLAIN")
TRIAL = ["MAIL FROM:<>", "BDAT 12 LAST", "MAIL FROM:<>", "RSET"]


def verbs(client: ScriptedPrimary) -> list[str]:
    return [command.split()[0] for command in client.commands]


def test_no_chunk_is_tried_before_the_last_message_and_no_tls_begun() -> None:
    """A probe that broke the connection would cost the whole turnaround."""

    async def main() -> None:
        turning = Turning()
        async with ScriptedPrimary(offer=AHEAD) as client, turning.world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=20)
            await turning.whole(dispatcher, client, domain)
            assert verbs(client)[:-5] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 20]
            assert client.commands[-5:] == [*TRIAL, "QUIT"]
            assert len(client.taken) == 20

    asyncio.run(main())


def test_the_next_turnaround_of_the_login_sends_ahead_of_replies() -> None:
    async def main() -> None:
        turning = Turning()
        async with ScriptedPrimary(offer=AHEAD) as client, turning.world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await turning.whole(dispatcher, client, domain)
            client.commands.clear()
            await turning.world.hold(domain, 40)
            await turning.whole(dispatcher, client, domain)
            assert verbs(client) == ["EHLO", *["MAIL", "RCPT", "BDAT"] * 40, "QUIT"]
            assert len(client.taken) == 41
            assert await turning.world.waiting() == []

    asyncio.run(main())


@pytest.mark.parametrize("change", ["another offer", "another server", "not allowed"])
def test_mail_goes_by_data_where_the_result_does_not_hold(change: str) -> None:
    async def main() -> None:
        turning = Turning()
        async with ScriptedPrimary(offer=AHEAD) as client, turning.world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await turning.whole(dispatcher, client, domain)
            client.commands.clear()
            if change == "another offer":
                client.offer = (*AHEAD, "SIZE 1000000")
            elif change == "another server":
                client.script["EHLO"] = "250-q.example\r\n250-PIPELINING\r\n250 CHUNKING"
            else:
                turning.world.set(run_ahead=False)
            await turning.world.hold(domain, 3)
            await turning.whole(dispatcher, client, domain)
            assert verbs(client)[:10] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3]
            assert len(client.taken) == 4

    asyncio.run(main())


@pytest.mark.parametrize("answer", [CLOSE, "250 what a chunk", GARBAGE])
def test_a_trial_that_breaks_the_connection_costs_nothing(answer: str) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with (
            ScriptedPrimary({"BDAT": answer}, offer=AHEAD) as client,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=3)
            await turning.whole(dispatcher, client, domain)
            past = await past_of(world, domain)
            assert (past.end, past.delivered) == (DrainEnd.FINISHED, 3)
            client.commands.clear()
            await world.hold(domain, 3)
            await turning.whole(dispatcher, client, domain)  # it is not tried again for a day
            assert verbs(client) == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]

    asyncio.run(main())


@pytest.mark.parametrize(("limit", "tries"), [(5, True), (4, False)])
def test_no_trial_exceeds_the_limit_of_the_client(limit: int, *, tries: bool) -> None:
    async def main() -> None:
        turning = Turning()
        offer = (*AHEAD, f"LIMITS MAILMAX={limit}")
        async with ScriptedPrimary(offer=offer) as client, turning.world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=3)
            await turning.whole(dispatcher, client, domain)
            assert ("BDAT" in verbs(client)) == tries
            assert client.commands[-1] == "QUIT"

    asyncio.run(main())


@pytest.mark.parametrize("noop", ["250 OK", "502 not here"])
def test_a_last_line_without_an_end_gets_one_behind_its_chunk(noop: str) -> None:
    """fetchmail passes whole lines on: it would wait for the rest, and the server for the chunk."""

    async def main() -> None:
        turning = Turning()
        async with (
            ScriptedPrimary({"NOOP": noop}, offer=AHEAD) as client,
            turning.world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=1)
            await turning.whole(dispatcher, client, domain)
            client.commands.clear()
            await turning.world.hold(domain, 2, content=b"Subject: x\r\n\r\nno end")
            await turning.world.hold(domain, 2)
            await turning.whole(dispatcher, client, domain)
            one = ["MAIL", "RCPT", "BDAT"]
            assert verbs(client) == ["EHLO", *[*one, "NOOP"] * 2, *one * 2, "QUIT"]
            assert client.taken[1].content == b"Subject: x\r\n\r\nno end"
            assert await turning.world.waiting() == []

    asyncio.run(main())


def test_a_client_that_loses_step_gets_mail_by_data_the_next_time() -> None:
    """Mail of the broken window is held, and the next turnaround delivers it."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary(offer=AHEAD) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await turning.whole(dispatcher, client, domain)
            await world.hold(domain, 5)
            client.behind_chunk = CLOSE
            await turning.whole(dispatcher, client, domain)
            client.commands.clear()
            await turning.whole(dispatcher, client, domain)
            assert "BDAT" not in verbs(client)
            assert await world.waiting() == []

    asyncio.run(main())


def test_mail_that_comes_meanwhile_leaves_too() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world

        class Client(ScriptedPrimary):
            def taken_by(self, session: Any) -> None:
                if len(self.taken) == 1:
                    self.more = asyncio.ensure_future(world.hold(domain, 2, "x@b.example"))

        async with Client() as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await turning.whole(dispatcher, client, domain)
            assert len(client.taken) == 3
            assert (await past_of(world, domain)).end is DrainEnd.FINISHED

    asyncio.run(main())


@pytest.mark.parametrize("limit", [1, 3])
def test_the_clients_own_limit_of_messages_is_respected(limit: int) -> None:
    """Exim answers 421 to the MAIL after it, and does not close."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        offer = ("PIPELINING", f"LIMITS MAILMAX={limit} RCPTMAX=50000")
        async with ScriptedPrimary(offer=offer) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=5)
            await turning.whole(dispatcher, client, domain)
            assert len(client.taken) == limit
            assert client.commands[-1] == "QUIT"
            assert len(await world.waiting(RecipientStatus.HELD)) == 5 - limit
            past = await past_of(world, domain)
            assert past.end is DrainEnd.GIVEN_UP
            assert "on a connection, and more are held" in past.reason

    asyncio.run(main())


def test_our_own_limit_of_messages_does_not_apply() -> None:
    async def main() -> None:
        turning = Turning()
        turning.world.set(messages_per_connection=2)
        async with ScriptedPrimary() as client, turning.world.dispatcher() as dispatcher:
            await turning.whole(dispatcher, client, await turning.hosts(count=5))
            assert len(client.taken) == 5

    asyncio.run(main())


@pytest.mark.parametrize(
    ("script", "reason", "taken"),
    [
        ({"GREETING": CLOSE}, "the client closed the connection before its greeting", 0),
        ({"GREETING": "554 go away"}, "greeting: 554 go away", 0),
        ({"GREETING": GARBAGE}, "", 0),
        ({"EHLO": "421 busy"}, "421 busy", 0),
        ({"EHLO": "250 mx2.example.net"}, "it is this server", 0),
        ({"MAIL": ["250 OK", CLOSE]}, "the client closed the connection", 1),
        ({"DATA": ["354 go", CLOSE]}, "the client closed the connection", 1),
        ({"CONTENT": ["250 OK", CLOSE]}, "the client closed the connection", 1),
        ({"MAIL": ["250 OK", "421 too many messages in this connection"]}, "421", 1),
        ({"QUIT": CLOSE}, "everything was handed over", 3),
    ],
)
def test_outstanding_mail_is_held_wherever_the_client_ends(
    script: dict[str, Any], reason: str, taken: int
) -> None:
    """There is no second connection."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary(script) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=3)
            await turning.whole(dispatcher, client, domain)
            assert client.connections == 1
            assert len(client.taken) == taken
            assert len(await world.waiting(RecipientStatus.HELD)) == 3 - taken
            assert reason in (await past_of(world, domain)).reason
            assert world.store.handover.open_drains() == []

    asyncio.run(main())


def test_a_message_whose_last_reply_never_comes_is_set_apart_the_third_time() -> None:
    """Otherwise a client that breaks over it would get it each time."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        for _ in range(3):
            script: Script = {"CONTENT": ["250 OK", CLOSE]}
            async with ScriptedPrimary(script) as client, world.dispatcher() as dispatcher:
                domain = await turning.hosts(count=0)
                waiting = await world.waiting(RecipientStatus.HELD)
                await world.hold(domain, 1 if waiting else 2, "x@b.example")
                await turning.whole(dispatcher, client, domain)
        assert len(await world.waiting(RecipientStatus.UNCERTAIN)) <= 1

    asyncio.run(main())


def test_refused_mail_is_marked_by_the_policy_of_its_domain() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        script: Script = {
            "RCPT TO:<x@b": "550 5.1.1 no such user",
            "RCPT TO:<x@c": "550 5.1.1 none",
        }
        async with ScriptedPrimary(script) as client, world.dispatcher() as dispatcher:
            kept = await turning.hosts("b.example", 1)
            bounced = await turning.hosts("c.example", 1, on_refusal=OnRefusal.BOUNCE)
            taken = await turning.hosts("d.example", 1)
            await turning.whole(dispatcher, client, kept, bounced, taken)
            assert [one.forward_paths for one in client.taken if one.forward_paths] == [
                ("x@d.example",)
            ]
            assert len(await world.waiting(RecipientStatus.REFUSED)) == 1
            (report,) = await world.reports()
            assert "p.example" in str(report)  # the client, by its own name

    asyncio.run(main())


def test_a_client_that_refuses_everything_gets_no_more() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.set(refusals_limit=3)
        script: Script = {"CONTENT": "554 5.6.0 no"}
        async with ScriptedPrimary(script) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=10)
            await turning.whole(dispatcher, client, domain)
            assert len(await world.waiting(RecipientStatus.REFUSED)) == 3
            assert (await past_of(world, domain)).end is DrainEnd.REFUSED
        assert len(world.log.of(DestinationRefuses)) == 1

    asyncio.run(main())


def test_ten_deferred_messages_in_a_row_end_it() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        script: Script = {"CONTENT": "451 4.3.0 not now"}
        async with ScriptedPrimary(script) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=30)
            await turning.whole(dispatcher, client, domain)
            assert client.commands.count("DATA") == 10
            assert client.commands[-1] == "QUIT"
            assert len(await world.waiting(RecipientStatus.HELD)) == 30

    asyncio.run(main())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"turnaround": False}, "no right"),
        ({"password_hash": "another"}, "the login was changed"),
        ({"valid_until": NOW + 1e6}, "the login was changed"),
    ],
)
def test_a_login_that_loses_its_right_gets_no_more(changed: dict[str, Any], reason: str) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world

        class Client(ScriptedPrimary):
            def taken_by(self, session: Any) -> None:
                if len(self.taken) == 2:
                    gone = turning.put_login(replace(LOGIN, **changed))
                    self.change = asyncio.ensure_future(gone)

        async with Client(seconds={"CONTENT": 0.01}) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=40)
            await turning.whole(dispatcher, client, domain)
            assert len(client.taken) < 10
            assert client.commands[-1] == "QUIT"
            assert reason in (await past_of(world, domain)).reason

    asyncio.run(main())


def test_a_login_that_expires_gets_no_more() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        login = replace(LOGIN, valid_until=NOW + 3600)

        class Client(ScriptedPrimary):
            def taken_by(self, session: Any) -> None:
                if len(self.taken) == 2:
                    world.step(3600)

        async with Client(seconds={"CONTENT": 0.01}) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=40)
            await turning.put_login(login)
            turnaround = await dispatcher.turn([domain], login, ADDRESS, 0)
            turnaround.begin(await wire_to(client))
            await turnaround.over.wait()
            await ended(dispatcher, [domain])
            assert len(client.taken) < 10
            assert client.commands[-1] == "QUIT"
            assert (await past_of(world, domain)).reason == "the time of the login is over"

    asyncio.run(main())


def test_the_end_of_many_stopped_parts_looks_at_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        looks = 0
        gives_mail = TurnaroundPart.__dict__["gives_mail"].fget

        def counting(part: TurnaroundPart) -> bool:
            nonlocal looks
            looks += 1
            return bool(gives_mail(part))

        turning = Turning()
        script: Script = {"CONTENT": SILENCE}
        async with ScriptedPrimary(script) as client, turning.world.dispatcher() as dispatcher:
            domains = [await turning.hosts(f"d{number}.example", 1) for number in range(60)]
            await turning.begun(dispatcher, client, *domains)
            await until(lambda: "DATA" in client.commands)
            monkeypatch.setattr(TurnaroundPart, "gives_mail", property(counting))
            for domain in domains:
                await dispatcher.stop(domain.id)
            assert looks < 5 * len(domains)

    asyncio.run(main())


def test_an_outcome_is_judged_for_its_own_domain_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account may have ten thousand domains: each outcome must not look at all of them."""
    looks = [0]

    def has_lost_lease(part: TurnaroundPart) -> bool:
        looks[0] += 1
        return part._settlement.is_lease_lost

    monkeypatch.setattr(TurnaroundPart, "has_lost_lease", property(has_lost_lease))

    async def main() -> None:
        turning = Turning()
        async with ScriptedPrimary() as client, turning.world.dispatcher() as dispatcher:
            domains = [await turning.hosts(f"d{one}.example", 1) for one in range(40)]
            await turning.whole(dispatcher, client, *domains)
            assert looks == [40]

    asyncio.run(main())


def test_a_stopping_server_ends_it_gently_and_closes_its_record() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 5.0
        async with ScriptedPrimary(seconds={"CONTENT": 0.02}) as client:
            async with world.dispatcher() as dispatcher:
                domain = await turning.hosts(count=100)
                await turning.begun(dispatcher, client, domain)
                await until(lambda: len(client.taken) > 0)
                [running] = dispatcher.drains()
                assert running.state is DrainState.DELIVERING
                assert dispatcher.is_draining(domain.id)
            assert client.commands[-1] == "QUIT"
            assert len(client.taken) < 100
            assert len(await world.waiting(RecipientStatus.HELD)) == 100 - len(client.taken)
            assert world.store.handover.open_drains() == []  # nobody resumes it
            assert (await past_of(world, domain)).end is DrainEnd.STOPPED

    asyncio.run(main())


def test_one_that_is_called_off_sends_nothing() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            turnaround = await turning.granted(dispatcher, domain)
            [recorded] = world.store.handover.open_drains()
            assert recorded.way is DrainWay.TURNAROUND
            turnaround.call_off("the client has left")
            await ended(dispatcher, [domain])
            assert world.store.handover.open_drains() == []
            assert await world.waiting() != []
        assert world.log.of(DeliveryAttempt) == []

    asyncio.run(main())


@pytest.mark.parametrize("script", [{}, {"GREETING": "421 not now"}, {"CONTENT": CLOSE}])
def test_one_that_is_over_leaves_nothing_for_the_collector(script: Script) -> None:
    async def main() -> None:
        turning = Turning()
        async with ScriptedPrimary(script) as client, turning.world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=3)
            turnaround = await turning.begun(dispatcher, client, domain)
            over, gone = turnaround.over, weakref.ref(turnaround)
            del turnaround
            gc.collect()
            gc.disable()
            try:
                await over.wait()
                await ended(dispatcher, [domain])
                await until(lambda: gone() is None)
            finally:
                gc.enable()

    asyncio.run(main())


def test_ten_messages_that_are_always_deferred_keep_no_other_waiting() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with world.dispatcher() as dispatcher:
            first, second = (
                await turning.hosts("b.example", 12),
                await turning.hosts("c.example", 1),
            )
            async with ScriptedPrimary({"CONTENT": "451 4.7.1 sender verify"}) as client:
                await turning.whole(dispatcher, client, first, second)
                assert client.taken == []
            async with ScriptedPrimary({"CONTENT": ["250 OK"] * 3 + ["451 no"] * 10}) as client:
                await turning.whole(dispatcher, client, first, second)
                assert [one.content for one in client.taken] == [b"13\r\n", b"11\r\n", b"12\r\n"]
            assert await world.waiting(RecipientStatus.HELD) == list(range(1, 11))
            async with ScriptedPrimary() as client:
                await turning.whole(dispatcher, client, first, second)
            assert await world.waiting() == []

    asyncio.run(main())


@pytest.mark.parametrize("moment", ["MAIL", "DATA", "CONTENT"])
def test_a_message_that_breaks_the_connection_keeps_no_other_waiting(moment: str) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=3)
            async with ScriptedPrimary({moment: CLOSE}) as client:
                await turning.whole(dispatcher, client, domain)
            async with ScriptedPrimary({"MAIL": ["250 OK", "250 OK", CLOSE]}) as client:
                await turning.whole(dispatcher, client, domain)
                assert [one.content for one in client.taken] == [b"2\r\n", b"3\r\n"]
            assert await world.waiting(RecipientStatus.HELD) == [1]

    asyncio.run(main())


def test_content_that_is_away_is_deferred_and_the_rest_leaves() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world

        async def away(*_: object) -> bytes:
            raise ContentUnreachable("s3://mail: no answer in time")

        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=0)
            await world.hold_large(domain, b"R: 1\r\n\r\n", b"large\r\n")
            await world.hold(domain, 1, "x@b.example")
            world.intercept("prove_file", away)
            await turning.whole(dispatcher, client, domain)
            assert len(client.taken) == 1
            [(_, status, reply)] = await world.words(1)
            assert status is RecipientStatus.HELD
            assert "its content cannot be read now: s3://mail: no answer in time" in reply
            past = await past_of(world, domain)
            assert past.reason == "every message was tried, 1 message was deferred"
        assert len(world.log.of(DeliveryDeferred)) == 1

    asyncio.run(main())


def test_no_more_is_sent_than_can_be_doubled_in_all_domains_while_the_store_is_slow() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        settle, may_go_on = world.store.handover.settle, asyncio.Event()

        async def settle_slowly(*arguments: Any) -> None:
            await may_go_on.wait()
            await settle(*arguments)

        world.intercept("settle", settle_slowly)
        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            domains = [await turning.hosts(f"d{one}.example", 30) for one in range(4)]
            turnaround = await turning.begun(dispatcher, client, *domains)
            await until(lambda: len(client.taken) >= UNSETTLED_MOST)
            for _ in range(200):
                await asyncio.sleep(0)
            most = len(client.taken)
            may_go_on.set()
            await turnaround.over.wait()
            await ended(dispatcher, domains)
            assert (most, len(client.taken)) == (UNSETTLED_MOST, 120)
            assert await world.waiting() == []

    asyncio.run(main())


def test_unsettled_mail_of_a_stopped_domain_keeps_no_other_waiting() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        settle, may_go_on = world.store.handover.settle, asyncio.Event()

        async def settle_slowly(lease: Drain, *arguments: Any) -> None:
            if lease.domain_id == stopped.id:
                await may_go_on.wait()
            await settle(lease, *arguments)

        world.intercept("settle", settle_slowly)
        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            stopped = await turning.hosts("b.example", UNSETTLED_MOST)
            other = await turning.hosts("c.example", 5)
            turnaround = await turning.begun(dispatcher, client, stopped, other)
            await until(lambda: len(client.taken) >= UNSETTLED_MOST)
            await dispatcher.stop(stopped.id)
            try:
                await until(turnaround.over.is_set)
            finally:
                may_go_on.set()
            assert len(client.taken) == UNSETTLED_MOST + 5
            await ended(dispatcher, [stopped, other])
            assert await world.waiting() == []

    asyncio.run(main())


def test_mail_that_comes_meanwhile_is_read_for_one_domain_at_a_time_and_for_each() -> None:
    """A batch is up to 1 MiB. A domain that always gets more keeps no other waiting."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        reads: list[tuple[int, int]] = []  # domains with mail, and how many messages had left
        is_read_to_its_end = [False]  # the first one
        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            first, second = await turning.hosts("b.example", 1), await turning.hosts("c.example", 1)
            real = world.store.handover.held

            async def held(domain_id: int, *given: Any, **options: Any) -> Any:
                if domain_id == first.id and is_read_to_its_end[-1] and len(reads) < 8:
                    await world.hold(first, 1, "x@b.example")
                    if len(reads) == 2:
                        await world.hold(second, 2, "x@c.example")
                found = await real(domain_id, *given, **options)
                if domain_id == first.id:
                    is_read_to_its_end.append(not found)
                if found:
                    reads.append((domain_id, len(client.taken)))
                return found

            world.intercept("held", held)
            await turning.whole(dispatcher, client, first, second)
            assert await world.waiting() == []
        late = [domain_id for domain_id, _ in reads[2:]]
        assert late.index(second.id) <= 2, reads
        for (domain_id, left), (other_id, then) in pairwise(reads[2:]):
            assert domain_id == other_id or then > left, "a batch waits while another is read"

    asyncio.run(main())
