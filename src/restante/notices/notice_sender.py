"""Sends notices: one at a time and in order for each channel, several channels at once.

Theory of operation. One task finds the channels that are due and starts a task for each of them, up
to a number. Then it waits for the next due notice, for one of the tasks to end, or for new notices.
Each attempt is settled at once:

    taken                                   removed
    refused permanently                     removed, with a line in the log
    anything else                           tried again later; removed after its lifetime, with a
                                            line in the log
    not taken, and the channel was changed  tried again at once, by the new channel

So a channel that is down or slow delays only its own notices. A crash between sending and settling
sends a notice twice, under the same key: the receiver can tell. A channel sends nothing more until
the result of its last notice is on record.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from restante.background.clocks import CLOCK_SLACK, Clocks
from restante.background.rounds import AFTER_FAILURE, Rounds
from restante.notices.notice_language import clean
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.notice_settings import NoticeSettings
from restante.notices.past_notice import past_notice
from restante.notices.transports import ChannelSender
from restante.queue.retry_schedule import Schedule, next_attempt
from restante.queue.sending_outcome import SendingOutcome
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.live_directory import LiveDirectory
from restante.store.notice_store import NoticeStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import (
    InternalError,
    NoticeDeferred,
    NoticeGivenUp,
    NoticeSent,
    StoreFailed,
)
from restante.telemetry.work_word import WorkWord
from restante.tenancy.notice import Channel, Notice, PastNotice

AT_ONCE: Final = 20  # channels
LONGEST_PAUSE: Final = 300.0
_DEFECT: Final = NoticeAttempt(NoticeResult.NOT_NOW, "internal error")


class NoticeSender:
    """All notices of this process."""

    def __init__(
        self,
        *,
        store: NoticeStore,
        duties: DutyStore,
        directory: LiveDirectory,
        sender: ChannelSender,
        settings: Callable[[], NoticeSettings],
        log: Log,
        clocks: Clocks,
    ) -> None:
        """Make it; nothing is sent before `run`."""
        self._store = store
        self._duties = duties
        self._directory = directory
        self._sender = sender
        self._settings = settings
        self._log = log
        self._clocks = clocks
        self._now = clocks.now
        self._clocks_before: tuple[float, float] | None = None  # wall and monotonic
        self._rounds = Rounds(log, WorkWord.NOTICE, clocks.wait)
        self._jitter = clocks.jitter
        self._sending: set[int] = set()  # channels
        self._ended: set[int] = set()  # channels whose attempt ended while notices were read

    def wake(self) -> None:
        """Check for notices now: some were stored, or a channel was changed."""
        self._rounds.wake()

    def close(self) -> None:
        """Let `run` return after its present attempts."""
        self._rounds.close()

    async def run(self) -> None:
        """Send notices until `close`."""
        await keep_performing(self._duties, "notices", self._run_rounds)

    async def _run_rounds(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            await self._rounds.run_rounds(partial(self._take_round, tasks))

    async def _take_round(self, tasks: asyncio.TaskGroup) -> float:
        """Start the due notices; return the seconds until the next is due."""
        await self._meet_clock()
        self._ended.clear()
        found = await self._store.first_notices(2 * AT_ONCE)
        now, pause = self._now(), LONGEST_PAUSE
        for notice in found:
            # If an attempt ended meanwhile, this may be its notice. The next round follows at once.
            is_taken = notice.channel_id in self._sending | self._ended
            if is_taken or len(self._sending) == AT_ONCE:
                continue
            if notice.next_attempt_at <= now:
                self._sending.add(notice.channel_id)
                tasks.create_task(self._send_in_turn(notice))
            else:
                pause = min(pause, notice.next_attempt_at - now)
        return pause

    async def _meet_clock(self) -> None:
        """Hasten notices with a wrong due time, after a start or when the clock was set back."""
        now, moment = self._now(), self._clocks.monotonic()
        before, self._clocks_before = self._clocks_before, (now, moment)
        if before is None:
            await self._store.hasten_notices(now, beyond=now + self._schedule().longest_pause)
        elif now - before[0] < moment - before[1] - CLOCK_SLACK:
            await self._store.hasten_notices(now, beyond=now)

    async def _send_in_turn(self, notice: Notice) -> None:
        try:
            await self._send(notice)
        except Exception as error:  # noqa: BLE001  the boundary: no defect ends the server
            self._log.publish(InternalError(error=error, doing=WorkWord.NOTICE))
            await self._rounds.pause(AFTER_FAILURE)
        finally:
            self._sending.discard(notice.channel_id)
            self._ended.add(notice.channel_id)
            self._rounds.wake()

    async def _send(self, notice: Notice) -> None:
        channel = self._directory.now.channels.get(notice.channel_id)
        if channel is None:  # removed, and the notice with it; otherwise look again soon
            await self._rounds.pause(AFTER_FAILURE)
            return
        try:
            attempt = await self._sender.send(channel, notice)
        except Exception as error:  # noqa: BLE001  the boundary: one channel's defect is no other's
            self._log.publish(
                InternalError(error=error, doing=WorkWord.NOTICE, channel=channel.name)
            )
            attempt = _DEFECT
        outcome = self._conclude(channel, notice, attempt)
        is_past = outcome.next_attempt_at is None
        past = [past_notice(notice, attempt, self._now())] if is_past else []
        await self._settle(outcome, past)

    async def _settle(self, outcome: SendingOutcome, past: Sequence[PastNotice]) -> None:
        """Record it, however long that takes: sending the notice again would be worse."""
        while True:
            try:
                await self._store.settle_notices([outcome], past)
            except StoreError as error:
                self._log.publish(StoreFailed(error=error, doing=WorkWord.NOTICE))
            else:
                return
            if self._rounds.is_closing:
                return
            await self._rounds.pause(AFTER_FAILURE)

    def _conclude(self, channel: Channel, notice: Notice, attempt: NoticeAttempt) -> SendingOutcome:
        """Return the outcome of a notice, and log it."""
        at = (
            None
            if attempt.end is NoticeResult.SENT
            else self._next_attempt(channel, notice, attempt)
        )
        is_sent = attempt.end is NoticeResult.SENT
        failed = NoticeDeferred if at is not None else NoticeGivenUp
        event: type[NoticeSent | NoticeDeferred | NoticeGivenUp] = NoticeSent if is_sent else failed
        self._log.publish(
            event(
                channel=channel.name,
                account=channel.account,
                transport=str(channel.transport),
                kind=str(notice.facts.kind),
                notice=notice.key,
                failures=notice.failures + (not is_sent),
                reply=clean(attempt.text),
            )
        )
        return SendingOutcome(notice.number, at, clean(attempt.text))

    def _next_attempt(
        self, channel: Channel, notice: Notice, attempt: NoticeAttempt
    ) -> float | None:
        if self._directory.now.channels.get(channel.id, channel) != channel:
            return self._now()  # the channel was changed meanwhile: its new form was not tried yet
        if attempt.end is NoticeResult.REFUSED:
            return None
        left = notice.made_at + self._settings().lifetime - self._clocks.age_now()
        now = self._now()
        return next_attempt(self._schedule(), notice.failures + 1, now, now + left, self._jitter())

    def _schedule(self) -> Schedule:
        settings = self._settings()
        return Schedule(settings.first_retry, settings.longest_retry)
