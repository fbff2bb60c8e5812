"""From stored notices to channels: in order, again and again, and each channel for itself."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from restante.notices.notice_result import NoticeAttempt
from restante.notices.notice_sender import AT_ONCE
from restante.notices.notice_settings import NoticeSettings
from restante.queue.sending_outcome import SendingOutcome
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    InternalError,
    NoticeDeferred,
    NoticeGivenUp,
    NoticeSent,
    StoreFailed,
)
from restante.tenancy.model import Directory
from restante.tenancy.notice import Channel, Notice
from tests.delivery.world import until
from tests.notices.scene import NOT_NOW, REFUSED, SENT, Scene, play
from tests.wire import NOW, audit


async def go_on_until(scene: Scene, condition: Callable[[], bool]) -> None:
    """Run until something is so, then end in good order."""
    running = asyncio.ensure_future(scene.notice_sender.run())
    await until(lambda: condition() or running.done())
    scene.notice_sender.close()
    await running


def test_notices_of_a_channel_leave_in_their_order_and_are_gone() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.keep(await scene.channel("hook"), "a", "b", "c")
        await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 3)
        assert scene.sent == [("hook", "a"), ("hook", "b"), ("hook", "c")]
        assert await scene.waiting() == []
        assert scene.lines(NoticeSent)[0] == {
            "channel": "hook",
            "account": "alpha",
            "transport": "webhook",
            "kind": "mail-after-quiet",
            "notice": "a",
            "failures": 0,
            "reply": "204 No Content",
        }

    play(story())


def test_a_failed_notice_is_retried_with_growing_pauses_and_the_same_key() -> None:
    async def story() -> None:
        scene = Scene(answers={"hook": [NOT_NOW] * 8 + [SENT]})
        await scene.keep(await scene.channel("hook"), "a", "b")
        began = scene.now
        await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 2)
        assert scene.sent == [("hook", "a")] * 9 + [("hook", "b")]
        assert scene.now - began >= 30 + 60 + 120 + 240 + 480 + 960 + 1920 + 3600
        assert [line["failures"] for line in scene.lines(NoticeDeferred)] == list(range(1, 9))

    play(story())


def test_a_notice_that_fails_for_too_long_is_given_up_for_the_next() -> None:
    async def story() -> None:
        scene = Scene(settings=NoticeSettings(lifetime=100.0), answers={"hook": [NOT_NOW]})
        hook = await scene.channel("hook")
        await scene.keep(hook, "a", made_at=scene.now - 50)
        await scene.keep(hook, "late", made_at=scene.now - 500)
        await go_on_until(scene, lambda: len(scene.lines(NoticeGivenUp)) == 2)
        assert [line["notice"] for line in scene.lines(NoticeGivenUp)] == ["a", "late"]
        assert scene.sent[-1] == ("hook", "late")  # tried once, however late
        assert await scene.waiting() == []

    play(story())


def test_a_permanent_refusal_ends_the_attempts_at_once() -> None:
    async def story() -> None:
        scene = Scene(answers={"hook": [REFUSED, SENT]})
        await scene.keep(await scene.channel("hook"), "a", "b")
        await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 1)
        assert scene.sent == [("hook", "a"), ("hook", "b")]
        [line] = scene.lines(NoticeGivenUp)
        assert (line["notice"], line["reply"]) == ("a", "410 Gone")

    play(story())


def test_a_slow_channel_keeps_back_its_own_notices_and_nobody_elses() -> None:
    async def story() -> None:
        scene = Scene()
        never = asyncio.Event()

        async def hang(channel: Channel, _notice: Notice) -> None:
            if channel.name == "slow":
                await never.wait()

        scene.on_send = hang
        slow, quick = await scene.channel("slow"), await scene.channel("quick")
        await scene.keep(slow, "a", "b")
        await scene.keep(quick, "c", "d", "e")
        running = asyncio.ensure_future(scene.notice_sender.run())
        await until(lambda: len(scene.lines(NoticeSent)) == 3)
        assert scene.sent.count(("slow", "a")) == 1
        assert ("slow", "b") not in scene.sent
        never.set()
        await until(lambda: len(scene.lines(NoticeSent)) == 5)
        scene.notice_sender.close()
        await running

    play(story())


def test_so_many_channels_are_served_at_once_and_no_more() -> None:
    async def story() -> None:
        scene = Scene()
        gate, now, most = asyncio.Event(), 0, 0

        async def count(_channel: Channel, _notice: Notice) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await gate.wait()
            now -= 1

        scene.on_send = count
        for place in range(AT_ONCE + 5):
            await scene.keep(await scene.channel(f"c{place}"), f"k{place}")
        running = asyncio.ensure_future(scene.notice_sender.run())
        await until(lambda: len(scene.sent) == AT_ONCE)
        gate.set()
        await until(lambda: len(scene.lines(NoticeSent)) == AT_ONCE + 5)
        scene.notice_sender.close()
        await running
        assert most == AT_ONCE

    play(story())


def test_a_crash_between_sending_and_settling_sends_twice_under_the_same_key() -> None:
    async def story() -> None:
        scene = Scene()
        settling = asyncio.Event()

        async def never(*_: Any) -> None:
            settling.set()
            await asyncio.Event().wait()

        settle, scene.store.notices.settle_notices = scene.store.notices.settle_notices, never  # type: ignore[assignment]
        await scene.keep(await scene.channel("hook"), "a")
        running = asyncio.ensure_future(scene.notice_sender.run())
        await settling.wait()
        running.cancel()
        await asyncio.wait([running])
        scene.store.notices.settle_notices = settle  # type: ignore[method-assign]
        again = Scene(store=scene.store)
        await again.directory.refresh()
        await go_on_until(again, lambda: bool(again.lines(NoticeSent)))
        assert scene.sent == again.sent == [("hook", "a")]
        assert await again.waiting() == []

    play(story())


def test_nothing_more_leaves_by_a_channel_while_the_store_cannot_record_what_was() -> None:
    async def story() -> None:
        scene = Scene()
        settle, failures = scene.store.notices.settle_notices, 3

        async def failing(outcomes: Any, past: Any = ()) -> None:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise StoreError("the disk is full")
            await settle(outcomes, past)

        scene.store.notices.settle_notices = failing  # type: ignore[method-assign]
        await scene.keep(await scene.channel("hook"), "a", "b")
        await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 2)
        assert scene.sent == [("hook", "a"), ("hook", "b")]
        assert len(scene.lines(StoreFailed)) == 3

    play(story())


def test_a_store_that_cannot_be_read_is_asked_again() -> None:
    async def story() -> None:
        scene = Scene()
        first, failures = scene.store.notices.first_notices, 2

        async def failing(limit: int) -> list[Notice]:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise StoreError("not now")
            return await first(limit)

        scene.store.notices.first_notices = failing  # type: ignore[method-assign]
        await scene.keep(await scene.channel("hook"), "a")
        await go_on_until(scene, lambda: bool(scene.lines(NoticeSent)))
        assert scene.pauses[:2] == [30.0, 30.0]

    play(story())


def test_a_clock_that_is_set_back_puts_nothing_off_for_as_long() -> None:
    """It was a year ahead when one was deferred and another was stored."""

    async def story() -> None:
        year = 365 * 86400.0
        scene = Scene(now=NOW + year)
        hook, other = await scene.channel("hook"), await scene.channel("other")
        await scene.keep(hook, "a")
        [first] = await scene.waiting()
        await scene.store.notices.settle_notices(
            [SendingOutcome(first.number, scene.now + 30, "503")]
        )
        await scene.keep(other, "b")
        scene.now = NOW
        await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 2)
        assert scene.now < NOW + year / 2

    play(story())


def test_a_clock_that_is_set_back_while_a_notice_waits_does_not_delay_it() -> None:
    async def story() -> None:
        scene = Scene()
        scene.answers["hook"] = [NOT_NOW, SENT]
        await scene.keep(await scene.channel("hook"), "a")

        def is_sent() -> bool:
            if scene.lines(NoticeDeferred):
                scene.behind = 3600.0
            return bool(scene.lines(NoticeSent))

        await go_on_until(scene, is_sent)
        assert scene.behind
        assert scene.now - NOW <= 2 * scene.settings.first_retry

    play(story())


def test_a_store_that_gives_what_nobody_understands_ends_no_server() -> None:
    """It is said, and asked again later."""

    async def story() -> None:
        scene = Scene()
        first, failures = scene.store.notices.first_notices, 2

        async def failing(limit: int) -> list[Notice]:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise ValueError("no notice at all")
            return await first(limit)

        scene.store.notices.first_notices = failing  # type: ignore[method-assign]
        scene.log.takes_defects = True
        await scene.keep(await scene.channel("hook"), "a")
        await go_on_until(scene, lambda: bool(scene.lines(NoticeSent)))
        assert scene.pauses[:2] == [30.0, 30.0]
        assert len(scene.lines(InternalError)) == 2

    play(story())


def test_a_notice_whose_channel_is_not_known_yet_is_looked_at_again_later() -> None:
    """Not at once, and at once again."""

    async def story() -> None:
        scene = Scene()
        hook = await scene.channel("hook")
        await scene.keep(hook, "a")
        known, scene.directory.now = scene.directory.now, Directory()

        async def wait(event: asyncio.Event, seconds: float) -> None:
            await Scene.wait(scene, event, seconds)
            if event is scene.notice_sender._rounds._closing:
                scene.directory.now = known

        scene.notice_sender._rounds._wait = wait
        await go_on_until(scene, lambda: bool(scene.lines(NoticeSent)))
        assert scene.pauses.count(30.0) == 1

    play(story())


def test_a_channel_that_is_removed_meanwhile_is_passed_over() -> None:
    async def story() -> None:
        scene = Scene()
        hook, other = await scene.channel("hook"), await scene.channel("other")
        await scene.keep(hook, "a")
        await scene.keep(other, "b")

        async def remove(channel: Channel, _notice: Notice) -> None:
            await scene.store.records.remove_channel(channel.id, audit())
            await scene.directory.refresh()

        scene.on_send = remove
        await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 2)
        assert await scene.waiting() == []

    play(story())


@pytest.mark.parametrize("answer", [NOT_NOW, REFUSED])
def test_a_notice_refused_while_its_channel_changed_is_retried_at_once(
    answer: NoticeAttempt,
) -> None:
    """The old address or the old key was the reason of the refusal."""

    async def story() -> None:
        scene = Scene(answers={"hook": [answer, SENT]})
        hook = await scene.channel("hook")
        tried: list[str] = []

        async def change(channel: Channel, _notice: Notice) -> None:
            tried.append(channel.target)
            await scene.store.records.put_channel(
                replace(hook, target="https://new.example/…"), audit()
            )
            await scene.directory.refresh()

        scene.on_send = change
        await scene.keep(hook, "a")
        await go_on_until(scene, lambda: bool(scene.lines(NoticeSent)))
        assert tried == ["https://hook.example/…", "https://new.example/…"]
        assert scene.sent == [("hook", "a"), ("hook", "a")]
        assert scene.now == NOW

    play(story())


def test_the_next_notice_leaves_as_soon_as_the_one_before_is_settled() -> None:
    """However long the pause would be."""

    async def story() -> None:
        scene = Scene()

        async def until_woken(event: asyncio.Event, _seconds: float) -> None:
            await event.wait()

        scene.notice_sender._rounds._wait = until_woken
        await scene.keep(await scene.channel("hook"), "a", "b", "c")
        async with asyncio.timeout(60):
            await go_on_until(scene, lambda: len(scene.lines(NoticeSent)) == 3)

    play(story())


def test_a_notice_that_is_settled_while_the_store_is_read_is_not_sent_again() -> None:
    """The store may answer as of a moment before."""

    async def story() -> None:
        scene = Scene()
        first, may_end, reads = scene.store.notices.first_notices, asyncio.Event(), 0

        async def late(limit: int) -> list[Notice]:
            nonlocal reads
            reads += 1
            found = await first(limit)
            if reads == 2:
                may_end.set()
                await until(lambda: not scene.notice_sender._sending)
            return found

        async def hang(_channel: Channel, _notice: Notice) -> None:
            await may_end.wait()

        scene.store.notices.first_notices = late  # type: ignore[method-assign]
        scene.on_send = hang
        await scene.keep(await scene.channel("hook"), "a")
        running = asyncio.ensure_future(scene.notice_sender.run())
        await until(lambda: scene.sent != [])
        scene.notice_sender.wake()
        await until(lambda: reads > 2)
        scene.notice_sender.close()
        await running
        assert scene.sent == [("hook", "a")]

    play(story())
