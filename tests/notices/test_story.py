"""Real events of the parts themselves, up to the notice in the store. The test has the clocks."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from restante.background.clocks import Clocks
from restante.delivery.delivery_settings import DeliverySettings
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.notices.notice_inbox import NoticeInbox
from restante.notices.notice_settings import NoticeSettings
from restante.notices.outbox import Outbox
from restante.reception.after_holding import AfterHolding
from restante.reception.disk_space import DiskSpace
from restante.server.store_watch import StoreWatch
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.telemetry.events import Event, RoomBack, RoomShort
from restante.tenancy.notice import OF_ACCOUNTS, OF_THE_SERVER, Channel, ChannelTransport, Notice
from restante.tenancy.policy import DAY, HoldPolicy, Policy
from restante.tenancy.quota import Quota
from tests.away_store import AwayStore
from tests.contract.making import message
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.watching import PORT
from tests.delivery.watching import Scene as WatcherScene
from tests.delivery.world import World
from tests.log_lines import Lines
from tests.retention.test_retention_sweep import MONTH, Keeping
from tests.wire import NOW, audit


@dataclass
class Heard(Lines):
    """A log that hands its lines on, as the server's does."""

    inbox: NoticeInbox = field(default_factory=lambda: NoticeInbox(lambda: NOW))

    def publish(self, event: Event) -> None:
        super().publish(event)
        self.inbox.hear(event)


async def listen(store: Store, directory: LiveDirectory) -> None:
    """Add a channel of the account alpha and one of the operator's own."""
    for account, kinds in (("alpha", OF_ACCOUNTS), ("", OF_THE_SERVER)):
        await store.records.put_channel(
            Channel(0, account, "hook", ChannelTransport.WEBHOOK, "", b"", kinds, NOW), audit()
        )
    await directory.refresh()


async def notices(
    store: Store, directory: LiveDirectory, log: Heard, now: float = NOW
) -> list[Notice]:
    """Let the outbox of a new server process the events so far. Return all notices."""
    outbox = Outbox(
        store=store.notices,
        duties=store.duties,
        inbox=log.inbox,
        directory=directory,
        settings=NoticeSettings,
        log=log,
        clocks=Clocks(lambda: now, lambda: now),
        on_stored=lambda: None,
    )
    outbox.close()
    await outbox.run()
    return await store.notices.list_notices(1000)


def told(found: list[Notice]) -> list[tuple[str, str]]:
    return [(str(one.facts.kind), one.facts.about) for one in found]


def drained(primary: ScriptedPrimary, count: int = 3, **settings: Any) -> list[Notice]:
    """The notices if so many messages are handed over."""
    log = Heard()
    world = World(log=log, settings=DeliverySettings(**settings))

    async def main() -> list[Notice]:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await listen(world.store, world.directory)
            await world.hold(domain, count)
            await world.drain(domain)
            return await notices(world.store, world.directory, log)

    return asyncio.run(main())


def test_a_drain_that_hands_everything_over() -> None:
    [notice] = drained(ScriptedPrimary())
    assert told([notice]) == [("drain-finished", "b.example")]
    assert notice.facts.text == "The mail held for b.example was delivered: 3 messages."
    assert notice.facts.details["delivered"] == 3


@pytest.mark.parametrize(
    ("count", "what"), [(1, "1 message stays held"), (3, "3 messages stay held")]
)
def test_a_drain_that_is_given_up(count: int, what: str) -> None:
    [notice] = drained(ScriptedPrimary({"RCPT": "450 4.2.1 later"}), count, patience=100.0)
    assert told([notice]) == [("drain-given-up", "b.example")]
    assert notice.facts.text.startswith(
        f"The drain of b.example was given up; {what}. the time for attempts is over"
    )


def test_a_destination_that_refuses_some() -> None:
    found = drained(ScriptedPrimary({"RCPT": ["550 5.1.1 no", "250 2.1.5 OK", "250 2.1.5 OK"]}))
    assert told(found) == [("drain-finished", "b.example"), ("delivery-refused", "b.example")]
    assert (
        found[1].facts.text
        == "The destination of b.example refused 1 message permanently: kept or bounced, as its"
        " policy says."
    )


def test_a_destination_that_refuses_everything() -> None:
    found = drained(
        ScriptedPrimary({"RCPT": "550 5.7.1 no"}, offer=("8BITMIME",)), 10, refusals_limit=5
    )
    assert told(found) == [("destination-refuses", "b.example"), ("delivery-refused", "b.example")]


def test_a_primary_that_goes_and_comes_back() -> None:
    async def main() -> list[Notice]:
        scene = WatcherScene(world=World(log=(log := Heard())))
        domain = await scene.host("b.example", hold=HoldPolicy.ON_RETURN)
        await listen(scene.world.store, scene.world.directory)
        await scene.world.hold(domain)

        async def come_back() -> None:
            scene.up.add(PORT)

        scene.acts[75.0] = come_back
        await scene.watch(200)
        return await notices(scene.world.store, scene.world.directory, log)

    assert told(asyncio.run(main())) == [
        ("primary-away", f"127.0.0.1:{PORT}"),
        ("primary-back", f"127.0.0.1:{PORT}"),
    ]


def test_the_first_mail_after_quiet_and_a_quota_that_fills() -> None:
    async def main() -> list[Notice]:
        log, world = Heard(), World()
        policy = Policy(quota=Quota(messages=10))
        domain = await world.host(25, policy=policy)
        await listen(world.store, world.directory)
        after_holding = AfterHolding(world.store.figures, world.directory, log, lambda: world.now)
        for number in range(1, 11):
            batch = [
                NewMessage(
                    number, domain.id, Envelope("a@a.example", ("b@b.example",)), NOW, b"x\r\n"
                )
            ]
            await world.store.reception.hold(batch)
            after_holding.held(batch)
        return await notices(world.store, world.directory, log)

    assert told(asyncio.run(main())) == [
        ("mail-after-quiet", "b.example"),
        ("quota-reached", "domain b.example, 80 %"),
        ("quota-reached", "domain b.example, 100 %"),
    ]


def test_mail_that_nears_its_end_is_told_three_times_over_restarts_and_then_that_it_is_gone(
    tmp_path: Path,
) -> None:
    """The server is started again for each sweep."""

    async def main() -> list[Notice]:
        keeping = Keeping(tmp_path / "store")
        await keeping.open()
        domain = await keeping.host(retention=MONTH)
        await listen(keeping.store, keeping.directory)
        await keeping.store.reception.hold([message(1, domain.id)])
        for hours in range(0, 32 * 24, 8):
            await keeping.restart()
            keeping.now, log = hours / 24 * DAY, Heard()
            keeping.sweeper._log = log
            await keeping.sweeper.sweep()
            await notices(keeping.store, keeping.directory, log, keeping.now)
        found = await keeping.store.notices.list_notices(1000)
        await keeping.store.close()
        return found

    assert told(asyncio.run(main())) == [
        ("retention-ahead", "alpha.example, held, 7 days"),
        ("retention-ahead", "alpha.example, held, 3 days"),
        ("retention-ahead", "alpha.example, held, 1 day"),
        ("mail-expired", "alpha.example, held"),
    ]


def test_room_on_the_disk_is_the_operators_affair() -> None:
    async def main() -> list[Notice]:
        log, world = Heard(), World()
        await world.host(25)
        await listen(world.store, world.directory)
        free = [5, 500]
        room = DiskSpace(lambda: free[0], reserve=100)
        for event in (RoomShort, RoomBack):
            log.publish(event(free_octets=room.look() or 0, disk_reserve=room.reserve))
            free.pop(0)
        return await notices(world.store, world.directory, log)

    found = asyncio.run(main())
    assert told(found) == [("room-short", "disk"), ("room-back", "disk")]
    assert {one.facts.account for one in found} == {""}


def test_a_store_that_was_away_is_told_when_it_is_back() -> None:
    """A notice is stored before it is sent, so the first one waits for the second."""

    async def main() -> list[Notice]:
        log, world = Heard(), World()
        await world.host(25)
        await listen(world.store, world.directory)
        away, now = AwayStore(), [10.0]
        watch = StoreWatch(away.upkeep, log, lambda: now[0], lambda _: None)
        for away.absence in ("connection refused", ""):
            watch.look()
            now[0] += 90.0
        return await notices(world.store, world.directory, log)

    found = asyncio.run(main())
    assert told(found) == [("store-away", "store"), ("store-back", "store")]
    assert {one.facts.account for one in found} == {""}
    assert "connection refused" in found[0].facts.text
    assert "after 90 s" in found[1].facts.text
