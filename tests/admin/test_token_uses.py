"""Last uses of tokens: written together, at the end too, and kept when the store fails."""

import asyncio
from collections.abc import Mapping

import pytest

from restante.admin.token_uses import WRITE_SECONDS, TokenUses
from restante.background.rounds import Rounds
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreError
from restante.telemetry.work_word import WorkWord
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.grants import Scope
from tests.admin.admin_world import Lines, run

NOTED = AuditEntry(1.0, AuditAction.TOKEN_ADDED, "operator", "x")


class Clock:
    """Its pauses end at once, and are noted; after so many it waits without end."""

    def __init__(self, rounds: int) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self._rounds = rounds
        self.is_over = asyncio.Event()

    async def wait(self, _event: asyncio.Event, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if len(self.pauses) >= self._rounds:
            self.is_over.set()
            await asyncio.Event().wait()


async def store_of(*ids: str) -> MemoryStore:
    store = MemoryStore()
    for one in ids:
        token = ApiToken(one, "", one, b"", frozenset({Scope.RELEASE}), "operator", 1.0)
        await store.records.put_token(token, NOTED)
    return store


def uses_of(store: MemoryStore, clock: Clock) -> TokenUses:
    return TokenUses(
        store.records, Rounds(Lines(), WorkWord.TOKEN_USES, clock.wait), lambda: clock.now
    )


def test_uses_are_written_once_a_minute_and_at_the_end() -> None:
    async def story() -> None:
        store, clock = await store_of("a", "b"), Clock(2)
        uses = uses_of(store, clock)
        uses.used("a")
        running = asyncio.create_task(uses.run())
        await clock.is_over.wait()
        assert set(clock.pauses) == {WRITE_SECONDS}
        assert await store.records.token_uses() == {"a": 1000.0}
        uses.used("b")
        assert await store.records.token_uses() == {"a": 1000.0}
        running.cancel()
        await asyncio.wait([running])
        assert await store.records.token_uses() == {"a": 1000.0, "b": clock.now}

    run(story())


def test_a_minute_without_use_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        store, clock = await store_of("a"), Clock(1)

        async def written(_self: object, uses: Mapping[str, float]) -> None:
            raise AssertionError(uses)

        monkeypatch.setattr(type(store.records), "record_token_uses", written)
        await uses_of(store, clock).write()

    run(story())


def test_a_store_that_fails_gets_them_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        store, clock = await store_of("a", "b"), Clock(1)
        uses = uses_of(store, clock)
        uses.used("a")
        uses.used("b")

        async def fail(_self: object, _uses: Mapping[str, float]) -> None:
            uses.used("b")  # meanwhile, and later
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(type(store.records), "record_token_uses", fail)
            clock.now = 2000.0
            with pytest.raises(StoreError):
                await uses.write()
        await uses.write()
        assert await store.records.token_uses() == {"a": 1000.0, "b": 2000.0}

    run(story())
