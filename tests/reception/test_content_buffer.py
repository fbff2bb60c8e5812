"""Content that is read again before it is held, in each store."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from restante.reception.content_buffer import ContentBuffer, ContentParts
from restante.reception.memory_budget import MemoryBudget
from restante.store.interface import Store
from restante.store.memory import MemoryStore
from restante.store.sqlite import open_sqlite
from restante.store.store_errors import StoreError

SMALL = b"Subject: x\r\n\r\ntext\r\n"
LARGE = b"0123456789abcdef" * 40_000


class World:
    """A buffer on a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.budget = MemoryBudget(10_000_000)
        self.tasks: set[asyncio.Task[None]] = set()
        self.buffer = ContentBuffer(
            ContentParts(store.reception, store.content, self.budget, self._spawn),
            on_room=_nothing,
            on_stall=_nothing,
        )

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        return task

    async def fill(self, content: bytes) -> None:
        for place in range(0, len(content), 50_000):
            self.buffer.add(content[place : place + 50_000])
            await asyncio.sleep(0)

    async def read(self) -> bytes:
        return b"".join([block async for block in self.buffer.read()])


def _nothing() -> None:
    """Do nothing."""


async def world_in(kind: str, directory: Path) -> World:
    return World(MemoryStore() if kind == "memory" else await open_sqlite(directory / "store"))


KINDS = pytest.mark.parametrize("kind", ["memory", "sqlite"])


@KINDS
@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_it_can_be_read_several_times_at_once_and_is_then_held(
    kind: str, content: bytes, tmp_path: Path
) -> None:
    async def scene() -> None:
        world = await world_in(kind, tmp_path)
        await world.fill(content)
        assert tuple(await asyncio.gather(world.read(), world.read())) == (content, content)
        if world.buffer.is_spooled:
            file = await world.buffer.finish()
            assert file == await world.buffer.finish()
            assert (
                b"".join([block async for block in world.store.content.read_file(file)]) == content
            )
        else:
            assert world.buffer.inline() == content
        world.buffer.land()
        assert world.budget.now == 0
        await world.store.close()

    asyncio.run(scene())


@KINDS
def test_content_that_was_read_and_is_refused_leaves_no_file(kind: str, tmp_path: Path) -> None:
    async def scene() -> str:
        world = await world_in(kind, tmp_path)
        await world.fill(LARGE)
        assert await world.read() == LARGE
        file = await world.buffer.finish()
        world.buffer.discard()
        await world.store.close()
        return file.name

    name = asyncio.run(scene())
    assert not list(tmp_path.rglob(f"*{name}*"))


@KINDS
def test_content_in_memory_goes_to_disk_for_others_and_is_read_from_there(
    kind: str, tmp_path: Path
) -> None:
    async def scene() -> None:
        world = await world_in(kind, tmp_path)
        await world.fill(SMALL)
        world.budget.add(world.budget.limit)  # by others
        await asyncio.wait(world.tasks)
        assert world.budget.now == world.budget.limit
        assert await world.read() == SMALL
        world.buffer.discard()
        await world.store.close()

    asyncio.run(scene())


@KINDS
def test_content_that_is_given_up_while_it_is_read_is_an_error_and_no_hole(
    kind: str, tmp_path: Path
) -> None:
    async def scene() -> None:
        world = await world_in(kind, tmp_path)
        await world.fill(LARGE)
        reader = world.buffer.read()
        await anext(reader)
        world.buffer.discard()
        with pytest.raises(StoreError):
            await world.read()
        await reader.aclose()
        await world.store.close()

    asyncio.run(scene())
