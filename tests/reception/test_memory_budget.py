"""Content in memory of all sessions: past the limit all goes to disk, and reading pauses."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from restante.mail.message import ContentFile
from restante.reception.content_buffer import WRITE_OCTETS, ContentBuffer, ContentParts
from restante.reception.memory_budget import MemoryBudget
from restante.store.memory.memory_content import MemoryContent
from restante.store.memory.memory_reception import MemoryReception, MemorySpool
from restante.store.memory.memory_state import MemoryState
from restante.store.reception_store import INLINE_LIMIT
from restante.store.store_errors import StoreError
from tests.contract.making import content
from tests.wire import Wire

LIMIT = 1000
TRANSACTION = b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n"


class SlowSpool:
    """Writes when it is told, and fails when it is told."""

    def __init__(self, disk: "SlowDisk", spool: MemorySpool) -> None:
        self._disk = disk
        self._spool = spool

    async def write(self, block: bytes) -> None:
        await self._disk.has_written.wait()
        if self._disk.is_broken:
            raise StoreError("disk I/O error")
        await self._spool.write(block)

    async def close(self, rest: bytes = b"") -> ContentFile:
        if rest:
            await self.write(rest)
        return await self._spool.close()

    def discard(self) -> None:
        self._spool.discard()


class SlowDisk(MemoryReception):
    """A store that lets its spools wait."""

    def __init__(self) -> None:
        self.state = MemoryState()
        super().__init__(self.state)
        self.has_written = asyncio.Event()
        self.is_broken = False

    def open_spool(self) -> SlowSpool:  # type: ignore[override]
        return SlowSpool(self, super().open_spool())


class Sessions:
    """Contents that share one count, and the calls to their sessions."""

    def __init__(self) -> None:
        self.disk = SlowDisk()
        self.content = MemoryContent(self.disk.state)
        self.flight = MemoryBudget(LIMIT)
        self.told: list[str] = []

    def begin(self, name: str, announced: int = 0) -> ContentBuffer:
        def spawn(work: Any) -> asyncio.Task[Any]:
            return asyncio.get_running_loop().create_task(work)

        return ContentBuffer(
            ContentParts(self.disk, self.content, self.flight, spawn),
            on_room=lambda: self.told.append(f"{name} goes on"),
            on_stall=lambda: self.told.append(f"{name} stops"),
            announced=announced,
        )

    async def settle(self) -> None:
        """Let everything happen that can."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def write(self) -> None:
        """Let the disk do its work."""
        self.disk.has_written.set()
        await self.settle()
        self.disk.has_written.clear()


def stalled(*contents: ContentBuffer) -> list[bool]:
    return [each.is_stalled for each in contents]


Scene = Callable[[Sessions], Coroutine[None, None, None]]


@pytest.fixture
def play() -> Callable[[Scene], None]:
    async def played(scene: Scene) -> None:
        await scene(Sessions())

    return lambda scene: asyncio.run(played(scene))


def test_at_the_limit_all_stop_and_write_and_go_on_once_half_is_written(
    play: Callable[[Scene], None],
) -> None:
    async def scene(sessions: Sessions) -> None:
        small, big = sessions.begin("small"), sessions.begin("big")
        small.add(b"x" * 100)
        assert stalled(small, big) == [False, False]
        big.add(b"x" * 950)
        assert stalled(small, big) == [True, True]
        assert set(sessions.told) == {"small stops", "big stops"}

        await sessions.settle()
        assert sessions.flight.now == 1050  # it is in memory until it is written
        assert (small.is_spooled, big.is_spooled) == (True, True)
        sessions.told.clear()
        await sessions.write()
        assert sessions.flight.now == 0
        assert stalled(small, big) == [False, False]
        assert set(sessions.told) == {"small goes on", "big goes on"}

    play(scene)


def test_a_later_caller_waits_too(play: Callable[[Scene], None]) -> None:
    async def scene(sessions: Sessions) -> None:
        sessions.begin("big").add(b"x" * LIMIT)
        late = sessions.begin("late")
        assert stalled(late) == [True]
        await sessions.settle()
        await sessions.write()
        assert stalled(late) == [False]
        assert "late goes on" in sessions.told

    play(scene)


def test_content_that_is_complete_or_forgotten_is_told_nothing(
    play: Callable[[Scene], None],
) -> None:
    async def scene(sessions: Sessions) -> None:
        complete, forgotten = sessions.begin("complete"), sessions.begin("forgotten")
        complete.add(b"x" * 600)
        complete.inline()
        forgotten.discard()
        sessions.begin("big").add(b"x" * 400)
        assert sessions.told == ["big stops"]
        await sessions.settle()
        await sessions.write()
        assert sessions.flight.now == 600  # it waits to be held
        assert not complete.is_spooled
        complete.land()
        assert sessions.flight.now == 0

    play(scene)


def test_content_that_cannot_be_written_is_no_longer_counted(play: Callable[[Scene], None]) -> None:
    async def scene(sessions: Sessions) -> None:
        sessions.disk.is_broken = True
        unlucky = sessions.begin("unlucky")
        unlucky.add(b"x" * LIMIT)
        await sessions.settle()
        await sessions.write()
        assert sessions.flight.now == 0
        assert isinstance(unlucky.failure, StoreError)
        sessions.flight.add(LIMIT)  # by others
        unlucky.add(b"x")
        assert not unlucky.is_stalled  # it is read to its end, and thrown away

    play(scene)


def test_a_session_that_goes_while_its_content_is_written_leaves_nothing(
    play: Callable[[Scene], None],
) -> None:
    async def scene(sessions: Sessions) -> None:
        gone = sessions.begin("gone")
        gone.add(b"x" * (INLINE_LIMIT + 1))
        await sessions.settle()
        gone.add(b"x" * 10)
        gone.discard()
        await sessions.settle()
        assert sessions.flight.now == 0

    play(scene)


@pytest.mark.parametrize(
    ("announced", "first_piece"),
    [(0, INLINE_LIMIT), (INLINE_LIMIT, INLINE_LIMIT), (50_000_000, WRITE_OCTETS)],
)
def test_content_announced_as_large_does_not_gather_first(
    play: Callable[[Scene], None], announced: int, first_piece: int
) -> None:
    """Content that may still fit into a row waits for that; other content goes to its file."""

    async def scene(sessions: Sessions) -> None:
        sessions.flight.limit = 100_000_000
        content = sessions.begin("large", announced)
        content.add(b"x" * first_piece)
        was_spooled = content.is_spooled
        content.add(b"x")
        assert (was_spooled, content.is_spooled) == (False, True)
        await sessions.settle()
        await sessions.write()
        content.add(b"x" * (WRITE_OCTETS + 1))  # once it has a file, all goes there in pieces
        await sessions.settle()
        assert content.octets == 0
        await sessions.write()
        assert sessions.flight.now == 0

    play(scene)


def test_content_that_waits_in_memory_makes_room_for_others() -> None:
    """A slow client: its content is on disk when memory is short, and is joined again."""
    smtp = Wire()
    smtp.hosts("a.example")
    smtp.memory_budget.limit = 10_000
    slow, slow_session = smtp.dialogue, smtp.session
    smtp.send(TRANSACTION + b"y" * 6000 + b"\r\n")
    smtp.connect(has_tls=True)
    smtp.send(TRANSACTION + b"x" * 5000 + b"\r\n.\r\n")
    assert smtp.memory_budget.now <= 2  # a CRLF may have come behind the rest, when there was room
    assert not slow.is_stalled
    smtp.dialogue, smtp.session = slow, slow_session
    smtp.send(b"the rest\r\n.\r\n")
    files = [message.file for message in smtp.held("a.example")]
    contents = [smtp.run(content(smtp.store.content.read_file(file))) for file in files if file]
    assert contents == [b"x" * 5000 + b"\r\n", b"y" * 6000 + b"\r\nthe rest\r\n"]
    assert smtp.memory_budget.now == 0
    smtp.close()
