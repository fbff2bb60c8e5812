"""Large content is read as it is wanted, no faster than it is taken, and never ended in part."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from restante.delivery.content_feed import ContentFeed
from restante.mail.message import ContentFile
from restante.smtp.client_transaction import ClientTransaction
from restante.store.store_errors import Damaged, StoreError
from tests.delivery.world import until
from tests.smtp.client_talk import mail

FILE = ContentFile("x", 3, 0)
END = b"<end>"


@dataclass
class Scene:
    """A connection, and a disk with three blocks."""

    sent: list[bytes] = field(default_factory=list)
    failures: list[StoreError] = field(default_factory=list)
    read: int = 0
    fails_at: int | None = None
    hangs_at: int | None = None
    on_block: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.feed = ContentFeed(self.read_file)

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        for number in range(file.size):
            if number == self.hangs_at:
                await asyncio.Event().wait()
            if number == self.fails_at:
                raise Damaged("it is cut off")
            self.read += 1
            yield b"%d" % number

    def send_block(self, block: bytes) -> None:
        self.sent.append(block)
        self.on_block()

    def end_content(self) -> None:
        self.sent.append(END)

    def content_unreadable(self, error: StoreError) -> None:
        self.failures.append(error)

    def want(self) -> None:
        self.feed.want(ClientTransaction(mail(1, file=FILE)))

    def play(self, condition: Callable[[], bool]) -> None:
        """Run the feed for wanted content until something is so, then stop it."""

        async def main() -> None:
            running = asyncio.create_task(self.feed.run(self))
            self.want()
            await until(condition)
            self.feed.stop()
            await running

        asyncio.run(main())


def test_a_file_is_sent_whole_and_then_its_end() -> None:
    scene = Scene()
    scene.play(lambda: END in scene.sent)
    assert scene.sent == [b"0", b"1", b"2", END]


def test_files_follow_each_other() -> None:
    scene = Scene()

    async def main() -> None:
        running = asyncio.create_task(scene.feed.run(scene))
        for count in (1, 2):
            scene.want()
            await until(lambda count=count: scene.sent.count(END) == count)  # type: ignore[misc]
        scene.feed.stop()
        await running

    asyncio.run(main())
    assert scene.sent == [b"0", b"1", b"2", END] * 2


def test_content_that_cannot_be_read_gets_no_end() -> None:
    scene = Scene(fails_at=2)
    scene.play(lambda: bool(scene.failures))
    assert scene.sent == [b"0", b"1"]
    assert [str(one) for one in scene.failures] == ["it is cut off"]


def test_no_block_is_read_while_the_destination_takes_none() -> None:
    scene = Scene()
    scene.on_block = scene.feed.pause

    async def main() -> None:
        running = asyncio.create_task(scene.feed.run(scene))
        scene.want()
        for count in (1, 2, 3):
            await until(lambda count=count: len(scene.sent) == count)  # type: ignore[misc]
            for _ in range(20):
                await asyncio.sleep(0)
            assert (scene.read, scene.feed.can_write) == (count, False)
            scene.feed.resume()
        await until(lambda: END in scene.sent)
        scene.feed.stop()
        await running

    asyncio.run(main())


@pytest.mark.parametrize("is_paused", [True, False], ids=["full wire", "hanging disk"])
def test_a_stop_ends_it_at_once_without_an_end_mark(is_paused: bool) -> None:
    scene = Scene(hangs_at=None if is_paused else 1)
    if is_paused:
        scene.on_block = scene.feed.pause
    scene.play(lambda: scene.sent == [b"0"])
    assert scene.sent == [b"0"]
    assert scene.failures == []


def test_a_stop_while_a_block_is_sent_is_followed_by_no_other() -> None:
    scene = Scene()
    scene.on_block = scene.feed.stop
    scene.play(lambda: bool(scene.sent))
    assert scene.sent == [b"0"]


def test_a_stop_before_anything_was_wanted_ends_it() -> None:
    feed = Scene().feed
    feed.stop()
    asyncio.run(asyncio.wait_for(feed.run(Scene()), 60))


def test_a_defect_reaches_the_caller() -> None:
    scene = Scene()

    def broken() -> None:
        raise ZeroDivisionError

    scene.on_block = broken
    scene.want()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(scene.feed.run(scene), 60))
