"""Channels, news and a clock, for tests of notices. The clock jumps over pauses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from restante.background.clocks import Clocks
from restante.notices.notice_inbox import HeardTopic, NoticeInbox
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.notice_sender import NoticeSender
from restante.notices.notice_settings import NoticeSettings
from restante.notices.outbox import Outbox
from restante.store.duty_locks import DutyLocks
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.memory.memory_notices import MemoryNotices
from restante.store.memory.memory_state import MemoryState
from restante.store.store_errors import DutyLost, StoreError
from restante.telemetry.events import Event
from restante.tenancy.model import Account
from restante.tenancy.notice import (
    OF_ACCOUNTS,
    OF_THE_SERVER,
    Channel,
    ChannelTransport,
    NewNotice,
    Notice,
    NoticeFacts,
    NoticeKind,
    QuietTopic,
)
from tests.log_lines import Lines
from tests.wire import NOW, audit

T = TypeVar("T")

SENT = NoticeAttempt(NoticeResult.SENT, "204 No Content")
NOT_NOW = NoticeAttempt(NoticeResult.NOT_NOW, "connection refused")
REFUSED = NoticeAttempt(NoticeResult.REFUSED, "410 Gone")


def notice_facts(
    about: str = "alpha.example",
    account: str = "alpha",
    kind: NoticeKind = NoticeKind.MAIL_AFTER_QUIET,
) -> NoticeFacts:
    """Something that has happened."""
    return NoticeFacts(kind, account, about, f"something about {about}", NOW)


def notice(number: int = 1, channel_id: int = 1, **fields: Any) -> Notice:
    """One that waits."""
    return Notice(
        number,
        channel_id,
        "the-key",
        fields.get("facts", notice_facts()),
        fields.get("held_back", 0),
        NOW,
        NOW,
    )


class CountingNotices(MemoryNotices):
    """Counts what it costs, and fails so many times first."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.kept = 0
        self.readings = 0  # of the notices that are held back
        self.failures = 0

    async def quiets(self) -> list[QuietTopic]:
        self.readings += 1
        return await super().quiets()

    async def keep_notices(self, *given: Any) -> int:
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        self.kept += 1
        return await super().keep_notices(*given)


class LosableDuties(DutyLocks):
    """Loses so many duties while their work is done: it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.losses = 0

    @asynccontextmanager
    async def perform(self, name: str) -> AsyncIterator[int]:
        async with super().perform(name) as number:
            if not self.losses:
                yield number
                return
            self.losses -= 1
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            try:
                yield number
            except asyncio.CancelledError:
                task.uncancel()
                raise DutyLost("another server has it") from None


@dataclass
class Scene:
    """The parts of a server. `answers` are those of each channel; the last one is repeated."""

    store: MemoryStore = field(default_factory=MemoryStore)
    duties: LosableDuties = field(default_factory=LosableDuties)
    log: Lines = field(default_factory=Lines)
    settings: NoticeSettings = field(default_factory=NoticeSettings)
    now: float = NOW
    behind: float = 0.0  # seconds by which the wall clock was set back
    pauses: list[float] = field(default_factory=list)
    answers: dict[str, list[NoticeAttempt]] = field(default_factory=dict)
    sent: list[tuple[str, str]] = field(default_factory=list)  # by which channel, under which key
    on_send: Callable[[Channel, Notice], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        self.costs = CountingNotices(self.store.state)
        self.store.notices = self.costs
        self.directory = LiveDirectory(self.store.records)
        self.inbox = NoticeInbox(lambda: self.now)
        self.clocks = Clocks(
            lambda: self.now - self.behind, lambda: self.now, self.wait, lambda: 0.5
        )
        self.notice_sender = NoticeSender(
            store=self.store.notices,
            duties=self.duties,
            directory=self.directory,
            sender=self,
            settings=lambda: self.settings,
            log=self.log,
            clocks=self.clocks,
        )
        self.outbox = self.new_outbox()

    def new_outbox(self) -> Outbox:
        """Return the outbox of a server that has just started."""
        return Outbox(
            store=self.store.notices,
            duties=self.duties,
            inbox=self.inbox,
            directory=self.directory,
            settings=lambda: self.settings,
            log=self.log,
            clocks=self.clocks,
            on_stored=self.notice_sender.wake,
        )

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Pause without pausing."""
        self.pauses.append(round(seconds, 3))
        await asyncio.sleep(0)
        if not event.is_set():
            self.now += seconds

    async def send(self, channel: Channel, notice: Notice) -> NoticeAttempt:
        """Be the sender."""
        self.sent.append((channel.name, notice.key))
        if self.on_send is not None:
            await self.on_send(channel, notice)
        answers = self.answers.get(channel.name, [SENT])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def channel(
        self,
        name: str,
        account: str = "alpha",
        *kinds: NoticeKind,
        all_accounts: bool = False,
        transport: ChannelTransport = ChannelTransport.WEBHOOK,
    ) -> Channel:
        """Add a channel, and its account."""
        if account:
            await self.store.records.put_account(Account(account, NOW), audit())
        heard = frozenset(kinds) or (OF_ACCOUNTS if account else OF_ACCOUNTS | OF_THE_SERVER)
        made = Channel(
            0, account, name, transport, "https://hook.example/…", b"", heard, NOW, all_accounts
        )
        stored = await self.store.records.put_channel(made, audit())
        await self.directory.refresh()
        return stored

    async def keep(self, channel: Channel, *keys: str, made_at: float | None = None) -> None:
        """Store notices for a channel."""
        at = self.now if made_at is None else made_at
        await self.store.notices.keep_notices(
            [NewNotice(channel.id, key, notice_facts(), 0, at) for key in keys], [], [], 1000
        )

    async def hear(self, *heard: NoticeFacts) -> None:
        """Have news come to the outbox, and let it deal with it."""
        for one in heard:
            self.inbox._keep(HeardTopic(one))
        await self.outbox._rounds.run_once(self.outbox._take_round)

    async def waiting(self) -> list[Notice]:
        """Return what is stored."""
        return await self.store.notices.list_notices(10_000)

    async def told(self) -> list[tuple[int, str, int]]:
        """Return the channel, thing and number held back of each stored notice."""
        return [(one.channel_id, one.facts.about, one.held_back) for one in await self.waiting()]

    def lines(self, event: type[Event]) -> list[dict[str, Any]]:
        return self.log.of(event)


def play(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end."""
    return asyncio.run(story)
