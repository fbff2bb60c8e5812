"""Only a whole regular file is content, and a read that hangs stops nothing."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from restante.mail.message import ContentFile
from restante.store.sqlite import SqliteStore, readers, spool
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.store_errors import Damaged, StoreError
from tests.contract.making import content, held_numbers, hosted, message, spooled
from tests.store.damage_report import DamageReport


def replace_by(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def cut(path: Path) -> None:
    os.truncate(path, 3)


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (Path.unlink, "is missing"),
    "cut": (cut, "does not match"),
    "longer": (lengthen, "does not match"),
    "link": (replace_by(lambda path: path.symlink_to("/etc/hostname")), "not a regular file"),
    "fifo": (replace_by(os.mkfifo), "not a regular file"),
    "directory": (replace_by(Path.mkdir), "not a regular file"),
    "null": (replace_by(lambda path: path.symlink_to("/dev/zero")), "not a regular file"),
}


@pytest.mark.parametrize("how", ["moved", "shard", "a file"])
async def test_no_message_is_to_blame_while_the_directory_of_its_file_is_gone(
    store: SqliteStore, directory: Path, damage: DamageReport, how: str
) -> None:
    """An unmounted disk would mark all large mail as damaged, and nobody could release it."""
    domain_id, file = await one_of_three(store)
    content_directory = directory / "content"
    gone = (content_directory / file.name).parent if how == "shard" else content_directory
    gone.rename(directory / "elsewhere")
    if how == "a file":
        gone.touch()
    with pytest.raises(StoreError) as raised:
        await store.content.prove_file(file, 0)
    assert not isinstance(raised.value, Damaged)
    async for part in store.upkeep.scrub():
        assert part.damaged == 0
    assert damage.numbers == []
    if how == "a file":
        gone.unlink()
    (directory / "elsewhere").rename(gone)
    assert await held_numbers(store, domain_id) == [1, 2, 3]
    await store.content.prove_file(file, 0)


async def one_of_three(store: SqliteStore) -> tuple[int, ContentFile]:
    """Hold three messages; return the domain and the second's file."""
    domain_id = await hosted(store)
    files = [await spooled(store, b"content of %d" % number) for number in (1, 2, 3)]
    await store.reception.hold(
        [message(number, domain_id, file=file) for number, file in enumerate(files, 1)]
    )
    return domain_id, files[1]


@pytest.mark.parametrize("way", ["prove", "read", "beginning"])
@pytest.mark.parametrize("damage_done", DAMAGES)
async def test_a_part_of_a_file_is_never_taken_for_the_whole(
    store: SqliteStore, directory: Path, damage: DamageReport, damage_done: str, way: str
) -> None:
    domain_id, file = await one_of_three(store)
    do, text = DAMAGES[damage_done]
    do(directory / "content" / file.name)
    if way == "beginning":
        if "match" not in text:
            with pytest.raises(Damaged, match=text):
                await store.content.read_beginning(file, 5)
        return
    with pytest.raises(Damaged, match=text):
        await (
            store.content.prove_file(file, 0)
            if way == "prove"
            else content(store.content.read_file(file))
        )
    assert damage.numbers == [2]
    assert await held_numbers(store, domain_id) == [1, 3]
    assert not store.upkeep.failure
    [finding] = SqliteCare(directory).check(lambda _done, _of: None).findings
    assert text in finding.text


def failing(number: int) -> Callable[..., bytes]:
    def fail(*_arguments: object) -> bytes:
        raise OSError(number, os.strerror(number))

    return fail


async def test_a_sector_that_cannot_be_read_parks_its_message(
    store: SqliteStore, damage: DamageReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id, file = await one_of_three(store)
    with monkeypatch.context() as broken:
        broken.setattr(os, "read", failing(errno.EIO))
        with pytest.raises(Damaged, match="cannot be read"):
            await store.content.prove_file(file, 0)
    assert damage.numbers == [2]
    assert await held_numbers(store, domain_id) == [1, 3]


async def test_want_of_descriptors_is_no_damage(
    store: SqliteStore, damage: DamageReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file = await one_of_three(store)
    with monkeypatch.context() as broken:
        broken.setattr(os, "open", failing(errno.EMFILE))
        with pytest.raises(StoreError) as raised:
            await store.content.prove_file(file, 0)
    assert not isinstance(raised.value, Damaged)
    assert damage.numbers == []


async def test_a_backup_leaves_out_what_is_no_file_of_ours(
    store: SqliteStore, directory: Path, tmp_path: Path
) -> None:
    _, file = await one_of_three(store)
    path = directory / "content" / file.name
    path.unlink()
    path.symlink_to("/etc/hostname")
    await store.upkeep.backup(tmp_path / "copy")
    assert not (tmp_path / "copy" / "content" / file.name).exists()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A disk whose reads do not end before this is set."""
    end = threading.Event()

    def hang(*_arguments: object) -> bytes:
        end.wait(60)
        return b""

    monkeypatch.setattr(spool, "_read_block", hang)
    monkeypatch.setattr(spool, "look_at", hang)
    for module in (spool, readers):
        monkeypatch.setattr(module, "_CLOSING_SECONDS", 0.05)
    return end


@pytest.mark.parametrize("way", ["prove", "read", "ask"])
async def test_a_read_that_hangs_can_be_given_up_and_does_not_keep_the_store_open(
    store: SqliteStore, hanging: threading.Event, way: str
) -> None:
    _, file = await one_of_three(store)
    calls: dict[str, Callable[[], Coroutine[None, None, object]]] = {
        "prove": lambda: store.content.prove_file(file, 0),
        "read": lambda: content(store.content.read_file(file)),
        "ask": lambda: store.core.read(lambda _connection: hanging.wait(60)),
    }
    reading = asyncio.ensure_future(calls[way]())
    await asyncio.sleep(0)
    assert not reading.done()
    reading.cancel()
    await asyncio.wait([reading], timeout=60)
    assert reading.cancelled()
    async with asyncio.timeout(60):
        await store.close()
    hanging.set()
