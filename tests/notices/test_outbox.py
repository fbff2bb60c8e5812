"""From events to stored notices: their channels, their number, and their cost."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from restante.notices.notice_inbox import MOST_TOPICS, HeardTopic, NoticeInbox
from restante.notices.notice_settings import NoticeSettings
from restante.notices.outbox import AT_ONCE, BETWEEN_ROUNDS, LONGEST_PAUSE
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    InternalError,
    MailAfterQuiet,
    MailHeld,
    MailLoops,
    NoticesDropped,
    RetentionAhead,
    RoomShort,
    StoreFailed,
)
from restante.tenancy.notice import Channel, ChannelTransport, NoticeKind
from tests.notices.scene import Scene, notice_facts, play
from tests.wire import NOW

HOUR = 3600.0


def mail_came(domain: str) -> MailAfterQuiet:
    return MailAfterQuiet(domain=domain, account="alpha", messages=1)


def test_news_goes_to_those_whom_it_concerns_and_to_nobody_else() -> None:
    async def story() -> None:
        scene = Scene()
        alpha = await scene.channel("alpha")
        deaf = await scene.channel("deaf", "alpha", NoticeKind.QUOTA_REACHED)
        beta = await scene.channel("beta", "beta")
        own = await scene.channel("own", "")
        every = await scene.channel("every", "", all_accounts=True)
        await scene.hear(notice_facts())
        assert await scene.told() == [
            (alpha.id, "alpha.example", 0),
            (every.id, "alpha.example", 0),
        ]
        await scene.hear(
            notice_facts("disk", "", NoticeKind.ROOM_SHORT), notice_facts("beta.example", "beta")
        )
        assert (await scene.told())[2:] == [
            (own.id, "disk", 0),
            (every.id, "disk", 0),
            (beta.id, "beta.example", 0),
            (every.id, "beta.example", 0),
        ]
        assert deaf.id not in {one for one, _, _ in await scene.told()}
        keys = {one.key for one in await scene.waiting()}
        assert len(keys) == 6

    play(story())


def test_the_same_again_is_held_back_and_the_last_of_it_told_after_a_while() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.hear(notice_facts())
        scene.now += HOUR / 2
        await scene.hear(*[notice_facts()] * 4)
        last = replace(notice_facts(), text="the last of it")
        await scene.hear(last)
        assert len(await scene.waiting()) == 1
        scene.now += HOUR / 2
        await scene.hear()
        first, second = await scene.waiting()
        assert (first.held_back, second.held_back, second.facts) == (0, 4, last)
        scene.now += HOUR / 2
        await scene.hear(notice_facts())
        assert len(await scene.waiting()) == 2  # the pause begins again with each notice
        scene.now += HOUR / 2
        await scene.hear()
        scene.now += HOUR
        await scene.hear()
        assert len(await scene.waiting()) == 3
        assert (
            await scene.store.notices.quiets() == []
        )  # nothing happened for a while: it is forgotten
        await scene.hear(notice_facts())
        assert (await scene.waiting())[-1].held_back == 0

    play(story())


def test_simultaneous_causes_make_one_notice_with_a_count() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.hear(*[notice_facts()] * 5)
        assert await scene.told() == [(1, "alpha.example", 4)]

    play(story())


def test_one_thing_does_not_keep_back_another() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.hear(
            notice_facts(),
            notice_facts("beta.example"),
            notice_facts(kind=NoticeKind.QUOTA_REACHED),
        )
        assert len(await scene.waiting()) == 3

    play(story())


def test_after_a_restart_only_withheld_notices_are_sent() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.hear(notice_facts())
        await scene.hear(notice_facts())
        scene.outbox = scene.new_outbox()
        await scene.hear(notice_facts())
        assert len(await scene.waiting()) == 1
        scene.now += HOUR
        scene.outbox = scene.new_outbox()
        await scene.hear()
        assert (await scene.waiting())[-1].held_back == 1

    play(story())


def test_a_clock_that_is_set_back_keeps_nothing_quiet_for_as_long() -> None:
    """The pause began when the clock was a year ahead; its events are reported anyway."""

    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        scene.now += 365 * 24 * HOUR
        await scene.hear(notice_facts())
        await scene.hear(notice_facts())
        scene.now -= 365 * 24 * HOUR
        await scene.hear()
        assert [held_back for _, _, held_back in await scene.told()] == [0, 0]
        [quiet] = await scene.store.notices.quiets()
        assert quiet.until == scene.now + HOUR

    play(story())


def test_a_step_of_the_certificate_is_told_once_however_often_it_is_started() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("own", "")
        step = notice_facts("2026-12-01, 7 days", "", NoticeKind.CERTIFICATE_EXPIRING)
        for _ in range(50):
            scene.outbox = scene.new_outbox()
            await scene.hear(step)
            scene.now += HOUR
        scene.now += 31 * 24 * HOUR
        await scene.hear()
        assert await scene.told() == [(1, "2026-12-01, 7 days", 0)]
        assert await scene.store.notices.quiets() == []

    play(story())


def test_news_that_nobody_hears_costs_the_store_nothing() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.hear(notice_facts(account="beta"))
        assert scene.costs.kept == 0

    play(story())


def test_the_sender_wakes_only_for_a_notice_to_send() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.hear(notice_facts(account="beta"))
        assert not scene.notice_sender._rounds._woken.is_set()
        await scene.hear(notice_facts())
        assert scene.notice_sender._rounds._woken.is_set()

    play(story())


# A flood


def test_a_flood_is_bounded_in_memory_and_in_transactions() -> None:
    async def story() -> None:
        scene = Scene(settings=NoticeSettings(waiting_limit=10))
        await scene.channel("hook", "", all_accounts=True)
        running = asyncio.create_task(scene.outbox.run())
        began, most = scene.now, 0
        for place in range(20_000):
            scene.inbox.hear(mail_came(f"d{place % 5000}.example"))
            most = max(most, len(scene.inbox.topics))
            if place % 2000 == 0:
                await asyncio.sleep(0)
        scene.outbox.close()
        await running
        assert most <= MOST_TOPICS
        assert len(await scene.waiting()) == 10
        assert 0 < scene.costs.kept <= (scene.now - began) / BETWEEN_ROUNDS + 2
        assert sum(line["count"] for line in scene.lines(NoticesDropped)) > 10_000

    play(story())


def test_forged_loops_of_many_clients_make_one_notice_an_hour_for_each_domain() -> None:
    """Received fields of ours can be forged, and strangers choose their addresses."""

    async def story() -> None:
        scene = Scene()
        await scene.channel("hook", "", all_accounts=True)
        for place in range(1000):
            domain, peer = f"d{place % 2}.example", f"192.0.2.{place % 250}"
            scene.inbox.hear(MailLoops(domain=domain, account="alpha", peer=peer, passes=place))
            if place % 100 == 0:
                await scene.hear()
        assert sorted(one.facts.about for one in await scene.waiting()) == [
            "d0.example",
            "d1.example",
        ]
        scene.now += HOUR
        await scene.hear()
        assert len(await scene.waiting()) == 4

    play(story())


def test_of_the_same_that_comes_at_once_the_last_is_told() -> None:
    inbox = NoticeInbox(lambda: NOW)
    for free in (3, 2, 1):
        inbox.hear(RoomShort(free_octets=free, disk_reserve=10))
    [heard] = inbox.take().values()
    assert (heard.last.details["free_octets"], heard.count) == (1, 3)


def test_a_channel_of_an_account_hears_of_no_other_whatever_it_says() -> None:
    """Even if somebody had written into the store that it gets all notices."""
    heard = frozenset(NoticeKind)
    channel = Channel(
        1, "alpha", "hook", ChannelTransport.WEBHOOK, "", b"", heard, NOW, all_accounts=True
    )
    assert channel.receives(notice_facts())
    assert not channel.receives(notice_facts(account="beta"))
    assert not channel.receives(notice_facts(account=""))


def test_much_news_at_once_gives_way_to_everything_else_now_and_then() -> None:
    """The end of ten thousand drains is as much news."""

    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async def turns_beside(count: int) -> int:
            nonlocal turns
            task, turns = asyncio.create_task(other()), 0
            await scene.hear(*(notice_facts(f"d{number}.example") for number in range(count)))
            task.cancel()
            return turns

        few = await turns_beside(1)
        assert await turns_beside(10 * AT_ONCE) >= few + 9
        assert len(await scene.waiting()) == 10 * AT_ONCE, "notices of known topics are held back"

    play(story())


def test_a_line_that_is_no_news_wakes_nobody() -> None:
    inbox = NoticeInbox(lambda: NOW)
    woken: list[int] = []
    inbox.on_arrival(lambda: woken.append(1))
    inbox.hear(example(MailHeld))
    assert (inbox.topics, woken) == ({}, [])


def test_a_line_that_is_not_understood_troubles_nobody_but_the_log() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        scene.log.takes_defects = True
        scene.inbox.hear(
            RetentionAhead(
                domain="alpha.example", account="alpha", status="held", days=7, at_end="no such end"
            )
        )
        scene.inbox.hear(mail_came("alpha.example"))
        await scene.hear()
        assert [line["doing"] for line in scene.lines(InternalError)] == ["notice"]
        assert len(await scene.waiting()) == 1

    play(story())


# The end, and failures


def test_notices_are_stored_before_the_server_ends() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        running = asyncio.create_task(scene.outbox.run())
        await asyncio.sleep(0)
        scene.inbox.hear(mail_came("alpha.example"))
        scene.outbox.close()
        await running
        assert len(await scene.waiting()) == 1

    play(story())


def test_a_waiter_goes_on_exactly_when_the_events_are_stored() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        await scene.outbox.until_stored()  # nothing has happened
        begun, may_store = asyncio.Event(), asyncio.Event()
        keep = scene.store.notices.keep_notices

        async def slow(*given: Any) -> int:
            begun.set()
            await may_store.wait()
            return await keep(*given)

        scene.store.notices.keep_notices = slow  # type: ignore[method-assign, assignment]
        scene.inbox._keep(HeardTopic(notice_facts()))
        turn = asyncio.create_task(scene.outbox._take_round())
        waiting = asyncio.create_task(scene.outbox.until_stored())
        await begun.wait()
        assert not scene.inbox.topics
        assert not waiting.done()
        may_store.set()
        await waiting
        assert len(await scene.waiting()) == 1
        await turn

    play(story())


def test_waiting_for_a_failing_store_ends_when_it_works_again() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        scene.costs.failures = 2
        scene.inbox._keep(HeardTopic(notice_facts()))
        running = asyncio.create_task(scene.outbox.run())
        await scene.outbox.until_stored()
        assert (scene.costs.failures, len(await scene.waiting())) == (0, 1)
        scene.outbox.close()
        await running

    play(story())


def test_news_outlives_a_store_that_fails_for_a_while() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("hook")
        scene.costs.failures = 2
        await scene.hear(notice_facts())
        await scene.hear(notice_facts(), notice_facts("beta.example"))
        assert await scene.waiting() == []
        await scene.hear()
        assert await scene.told() == [(1, "alpha.example", 1), (1, "beta.example", 0)]
        assert [line["doing"] for line in scene.lines(StoreFailed)] == ["notice", "notice"]

    play(story())


@pytest.mark.parametrize("pause", [0.0, 60.0])
def test_the_outbox_sleeps_until_a_while_is_over_and_spins_never(pause: float) -> None:
    async def story() -> None:
        scene = Scene(settings=NoticeSettings(pause=pause))
        await scene.channel("hook")
        scene.inbox.hear(mail_came("alpha.example"))
        running = asyncio.create_task(scene.outbox.run())
        began = scene.now
        for _ in range(50):
            await asyncio.sleep(0)
        scene.outbox.close()
        await running
        assert scene.now - began >= 10 * BETWEEN_ROUNDS
        assert scene.pauses[-1] == LONGEST_PAUSE
        assert scene.costs.kept == 2  # the notice; and that its while is over
        assert await scene.store.notices.quiets() == []

    play(story())


def test_two_servers_hold_back_the_same_and_count_together() -> None:
    async def story() -> None:
        one = Scene()
        channel = await one.channel("alpha")
        other = Scene(store=one.store, duties=one.duties)
        await other.directory.refresh()
        await one.hear(notice_facts())
        for _ in range(2):
            await other.hear(notice_facts())
            await one.hear(notice_facts())
        assert await one.told() == [(channel.id, "alpha.example", 0)]
        one.now = other.now = one.now + HOUR
        await one.hear()
        await other.hear()
        assert await one.told() == [
            (channel.id, "alpha.example", 0),
            (channel.id, "alpha.example", 3),  # and the last one, which it tells
        ]

    play(story())


def test_a_single_server_reads_withheld_notices_once() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.channel("alpha")
        for _ in range(5):
            await scene.hear(notice_facts())
        assert scene.costs.readings == 1

    play(story())


def test_news_of_a_round_whose_duty_was_lost_is_told_in_the_next() -> None:
    async def story() -> None:
        scene = Scene()
        channel = await scene.channel("alpha")
        scene.duties.losses = 1
        await scene.hear(notice_facts())
        assert await scene.told() == []
        await scene.hear()
        assert await scene.told() == [(channel.id, "alpha.example", 0)]

    play(story())
