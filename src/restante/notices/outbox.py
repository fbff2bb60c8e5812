"""Makes notices from events: throttled, for each channel that wants them, stored before sending.

Theory of operation. One task takes the events of the inbox and decides which are sent
(throttle.py). It stores the notices and the held-back events in one transaction. A round begins at
least a quarter of a second after the last one, so a flood of events causes four transactions a
second. Held-back topics are kept in memory too, and read from the store at the start. Each server
stores the notices of its own events, under a duty that it has for one round. So two servers do not
write over what the other has held back: topics are read again if another had the duty meanwhile.

Guarantee: a stored notice is sent, or dropped after its lifetime with a line in the log, through
any restart. A caller that announces something only once awaits `until_stored` before it records
that. Limitation: another event in the last instant before a crash can be lost; the log may lack its
line as well.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.notices.notice_inbox import HeardTopic, NoticeInbox
from restante.notices.notice_settings import NoticeSettings
from restante.notices.throttle import DueNotice, hear, is_over, let_go
from restante.store.duty_store import DutyStore
from restante.store.live_directory import LiveDirectory
from restante.store.notice_store import NoticeStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import InternalError, NoticesDropped
from restante.telemetry.work_word import WorkWord
from restante.tenancy.notice import NewNotice, QuietTopic, Topic

BETWEEN_ROUNDS: Final = 0.25  # seconds
LONGEST_PAUSE: Final = 300.0
AT_ONCE: Final = 50  # events processed between two turns of the event loop


@dataclass(slots=True)
class _Decisions:
    """The decisions of one round, stored together."""

    notices: list[NewNotice] = field(default_factory=list)
    quiets: dict[Topic, QuietTopic] = field(default_factory=dict)
    over: set[Topic] = field(default_factory=set)


async def _give_way(place: int) -> None:
    """Yield to other tasks now and then: the end of ten thousand drains causes as many events."""
    if place % AT_ONCE == 0:
        await asyncio.sleep(0)


class Outbox:
    """Between the inbox and the store."""

    def __init__(
        self,
        *,
        store: NoticeStore,
        duties: DutyStore,
        inbox: NoticeInbox,
        directory: LiveDirectory,
        settings: Callable[[], NoticeSettings],
        log: Log,
        clocks: Clocks,
        on_stored: Callable[[], None],
    ) -> None:
        """`on_stored` is called when there are new notices."""
        self._store = store
        self._duties = duties
        self._inbox = inbox
        self._directory = directory
        self._settings = settings
        self._log = log
        self._now = clocks.now
        self._on_stored = on_stored
        self._rounds = Rounds(log, WorkWord.NOTICE, clocks.wait)
        self._quiets: dict[Topic, QuietTopic] | None = None  # None: not read yet
        self._duty_number = 0  # of the last round that went well
        self._is_under_way = False
        self._round_over = asyncio.Event()
        inbox.on_arrival(self._rounds.wake)

    def close(self) -> None:
        """Let `run` return after it has stored everything."""
        self._rounds.close()

    async def until_stored(self) -> None:
        """Return when all events so far are stored; wait while the store fails."""
        while self._inbox.topics or self._is_under_way:
            await self._round_over.wait()

    async def run(self) -> None:
        """Store notices until `close`."""
        await self._rounds.run_rounds(self._take_round, apart=BETWEEN_ROUNDS)
        await self._rounds.run_once(self._take_round)  # the notices that came before `close`

    async def _take_round(self) -> float:
        """Process the events; return the seconds until the next round if none comes."""
        taken: dict[Topic, HeardTopic] = {}
        try:
            async with self._duties.perform("notice outbox") as number:
                taken, self._is_under_way = self._inbox.take(), True
                if number != self._duty_number + 1:
                    self._quiets = None
                await self._deal_with(taken)
            self._duty_number = number
        except StoreError:
            self._inbox.take_back(taken)
            raise
        finally:
            self._is_under_way = False
            self._round_over.set()  # waiters check again …
            self._round_over.clear()  # … and wait for the next round if there is more
        return self._pause()

    async def _deal_with(self, taken: dict[Topic, HeardTopic]) -> None:
        if self._quiets is None:
            self._quiets = {quiet.topic: quiet for quiet in await self._store.quiets()}
        made = await self._decide(taken, self._quiets)
        gone = 0
        if made.notices or made.quiets or made.over:
            limit = self._settings().waiting_limit
            gone = await self._store.keep_notices(
                made.notices, list(made.quiets.values()), list(made.over), limit
            )
        for topic in made.over:
            self._quiets.pop(topic, None)
        self._quiets |= made.quiets
        if made.notices:
            self._on_stored()
        self._tell_loss(gone)
        self._tell_defect()

    async def _decide(
        self, taken: dict[Topic, HeardTopic], quiets: dict[Topic, QuietTopic]
    ) -> _Decisions:
        made, now, pause = _Decisions(), self._now(), self._settings().pause
        for place, quiet in enumerate([one for one in quiets.values() if is_over(one, now, pause)]):
            await _give_way(place)
            telling, after = let_go(quiet, now, pause)
            self._enter(made, quiet.topic, telling, after)
        for place, (topic, heard) in enumerate(taken.items()):
            await _give_way(place)
            if any(self._directory.now.hearers(heard.last)):
                known = made.quiets.get(topic) or (
                    None if topic in made.over else quiets.get(topic)
                )
                telling, after = hear(known, heard.last, heard.count, now, pause)
                self._enter(
                    made, topic, telling, after if after is not known else None, is_known=True
                )
        return made

    def _enter(
        self,
        made: _Decisions,
        topic: Topic,
        telling: DueNotice | None,
        after: QuietTopic | None,
        *,
        is_known: bool = False,
    ) -> None:
        if after is not None:
            made.quiets[topic] = after
        elif not is_known:
            made.over.add(topic)
        if telling is not None:
            made.notices.extend(
                NewNotice(channel.id, token_hex(16), telling.facts, telling.held_back, self._now())
                for channel in self._directory.now.hearers(telling.facts)
            )

    def _tell_loss(self, gone: int) -> None:
        count, self._inbox.dropped = gone + self._inbox.dropped, 0
        if count:
            self._log.publish(NoticesDropped(count=count))

    def _tell_defect(self) -> None:
        defect, self._inbox.defect = self._inbox.defect, None
        if defect is not None:
            self._log.publish(InternalError(error=defect, doing=WorkWord.NOTICE))

    def _pause(self) -> float:
        """Return the seconds until a topic ends."""
        until = min((quiet.until for quiet in (self._quiets or {}).values()), default=float("inf"))
        return min(max(until - self._now(), 0.0), LONGEST_PAUSE)
