"""A domain's list is read by pages: meanwhile it counts, and nothing is lost or comes back."""

import asyncio
from dataclasses import replace

import pytest

from restante.store import live_recipients
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.memory import MemoryStore
from restante.store.memory.memory_recipients import MemoryRecipients
from restante.store.memory.memory_state import MemoryState
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import Policy, RecipientPolicy
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.contract.making import NOTED, account, domain

POLICY = Policy(recipients=RecipientPolicy.LEARNED)


class SlowRecipients(MemoryRecipients):
    """Answers a page when it is told to."""

    def __init__(self, state: MemoryState) -> None:
        super().__init__(state)
        self.asked: asyncio.Queue[asyncio.Event] = asyncio.Queue()
        self.is_slow = False

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        page = await super().recipients(domain_id, after, limit)
        if self.is_slow:
            answer = asyncio.Event()
            self.asked.put_nowait(answer)
            await answer.wait()
        return page


class World:
    """A store with one domain that lists anna and bert, and the books."""

    async def make(self) -> "World":
        self.store = MemoryStore()
        self.store.recipients = self.slow = SlowRecipients(self.store.state)
        self.directory = LiveDirectory(self.store.records)
        await self.store.records.put_account(account(), NOTED)
        self.domain: HostedDomain = await self.store.records.put_domain(
            replace(domain(), policy=POLICY), NOTED
        )
        await self.store.recipients.change_list(self.domain.id, ["anna", "bert"], [], NOTED)
        await self.directory.refresh()
        self.live = LiveRecipients(self.store.recipients, self.directory)
        await self.live.load()
        self.slow.is_slow = True
        return self

    @property
    def listed(self) -> set[str]:
        book = self.live.of(self.domain.id)
        assert book is not None
        return book.listed

    async def change(self, name: str) -> None:
        await self.store.recipients.change_list(self.domain.id, [name], [], NOTED)
        await self.catch_up()

    async def set_policy(self, policy: Policy) -> None:
        await self.store.records.put_domain(replace(self.domain, policy=policy), NOTED)
        await self.catch_up()

    async def catch_up(self) -> None:
        await self.directory.refresh()
        await self.live.catch_up()

    async def answer(self) -> None:
        (await self.slow.asked.get()).set()


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_recipients, "PAGE", 1)


def test_the_book_that_there_was_counts_until_the_new_one_is_whole() -> None:
    async def story() -> None:
        world = await World().make()
        change = asyncio.create_task(world.change("carl"))
        for _ in range(4):  # anna, bert, carl, and no more
            assert world.listed == {"anna", "bert"}
            await world.answer()
        await change
        assert world.listed == {"anna", "bert", "carl"}

    asyncio.run(story())


def test_a_reading_that_began_before_a_change_does_not_undo_it() -> None:
    """The first change's reading is past the place of the second's name."""

    async def story() -> None:
        world = await World().make()
        first = asyncio.create_task(world.change("carl"))
        await world.answer()
        await world.answer()
        second = asyncio.create_task(world.change("aaron"))
        answering = asyncio.create_task(forever(world))
        await asyncio.gather(first, second)
        answering.cancel()
        assert world.listed == {"aaron", "anna", "bert", "carl"}

    asyncio.run(story())


def test_recipients_learned_during_a_reading_are_known_after_it() -> None:
    async def story() -> None:
        world = await World().make()
        change = asyncio.create_task(world.change("carl"))
        await world.answer()  # past all that destinations have said
        fact = Recipient("dora", RecipientSource.DRAIN, is_there=True, at=1.0)
        learning = asyncio.create_task(world.live.learn(world.domain.id, [fact]))
        answering = asyncio.create_task(forever(world))
        await asyncio.gather(change, learning)
        answering.cancel()
        book = world.live.of(world.domain.id)
        assert book is not None
        assert (book.listed, book.learned) == ({"anna", "bert", "carl"}, {"dora": (True, 1.0)})

    asyncio.run(story())


def test_a_change_of_the_policy_reads_a_list_only_if_there_is_no_book() -> None:
    async def story() -> None:
        world = await World().make()
        book = world.live.of(world.domain.id)
        await world.set_policy(Policy(recipients=RecipientPolicy.LIST))
        assert world.live.of(world.domain.id) is book
        await world.set_policy(Policy())
        assert world.live.of(world.domain.id) is None
        answering = asyncio.create_task(forever(world))
        await world.set_policy(POLICY)
        answering.cancel()
        assert world.listed == {"anna", "bert"}

    asyncio.run(story())


async def forever(world: World) -> None:
    while True:
        await world.answer()


def test_a_digest_that_was_read_before_a_change_is_not_kept() -> None:
    """Not even if another reader began after the change, and gave up."""

    async def story() -> None:
        world = await World().make()
        first = asyncio.create_task(world.live.digest(world.domain.id))
        begun = await world.slow.asked.get()
        world.slow.is_slow = False
        await world.change("aaron")  # before the place of the reading
        world.slow.is_slow = True
        second = asyncio.create_task(world.live.digest(world.domain.id))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        world.slow.is_slow = False
        begun.set()
        old = await first
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        fresh = LiveRecipients(world.store.recipients, world.directory)
        assert await world.live.digest(world.domain.id) == await fresh.digest(world.domain.id)
        assert old != await fresh.digest(world.domain.id)

    asyncio.run(story())
