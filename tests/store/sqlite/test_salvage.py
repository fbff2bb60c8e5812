"""The readable part of a damaged store is in the new one, sound; all else is named."""

import asyncio
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.store.queue_store import QueueFilter
from restante.store.sqlite import migrations, open_sqlite
from restante.store.sqlite.damage_mark import DamageMark
from restante.store.sqlite.engine import PAGE_SIZE, fetch
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.sqlite.stored_page_size import LARGE
from restante.store.store_care import SalvageReport
from restante.store.store_errors import StoreError, StoreUnusable
from restante.tenancy.model import Directory
from tests.contract.making import (
    all_held,
    content,
    deferred,
    domain,
    hosted,
    last_number,
    message,
    opened,
    refused,
    spooled,
)
from tests.store.old_stores import FIRST, unpack
from tests.store.sqlite.tables import empty_database

DATABASE = "restante.db"
NOISE = random.Random(1).randbytes(PAGE_SIZE)
COUNT = 160


def head(number: int) -> bytes:
    """Of some messages several pages, of most a part of one."""
    return b"Subject: %d\r\n\r\n" % number + b"%d" % number * (5000 if number % 50 == 0 else 250)


@pytest.fixture
def page_size() -> int:
    """The octets of a page of the store: a test may have it made as earlier versions did."""
    return PAGE_SIZE


ANY_SIZE = pytest.mark.parametrize("page_size", [PAGE_SIZE, LARGE])


@pytest.fixture
def filled(runner: asyncio.Runner, directory: Path, page_size: int) -> Path:
    """A closed store with held, deferred, refused and large mail of two domains."""

    async def fill() -> None:
        empty_database(directory / DATABASE, page_size)
        store = await open_sqlite(directory)
        alpha = await hosted(store)
        beta = await hosted(store, "beta.example")
        ids = [alpha if number % 2 else beta for number in range(1, COUNT + 1)]
        to = {alpha: "anna@alpha.example", beta: "bert@beta.example"}
        await store.reception.hold(
            [message(n, ids[n - 1], to[ids[n - 1]], head=head(n)) for n in range(1, COUNT + 1)]
        )
        file = await spooled(store, b"large" * 100_000)
        await store.reception.hold(
            [message(COUNT + 1, alpha, "anna@alpha.example", head=b"Received: x\r\n", file=file)]
        )
        drain = await opened(store, alpha, 0.0, 60.0)
        paths = "anna@alpha.example"
        await store.handover.settle(drain, [deferred(1, paths), refused(3, paths)])
        await store.handover.close_drain(drain)
        await store.close()

    runner.run(fill())
    return directory


def salvaged(directory: Path, target: Path) -> SalvageReport:
    report = SqliteCare(directory).salvage(target, lambda _count: None)
    assert SqliteCare(target).check(lambda _done, _of: None).findings == []
    return report


async def everything(directory: Path) -> tuple[Directory, dict[int, bytes]]:
    """The records, and the content of all mail by number, refused mail included."""
    store = await open_sqlite(directory)
    try:
        found = await store.records.directory()
        mail: dict[int, bytes] = {}
        for listed in await store.queue.list_queue(QueueFilter(limit=10_000)):
            one = await store.queue.message(listed.number)
            assert one is not None
            mail[one.number] = one.head + (
                await content(store.content.read_file(one.file)) if one.file else b""
            )
        return found, mail
    finally:
        await store.close()


def named(report: SalvageReport) -> set[int]:
    return {finding.number for finding in report.lost if finding.number is not None}


async def test_keys_beside_the_database_are_salvaged_too(filled: Path, tmp_path: Path) -> None:
    (filled / "acme").mkdir()
    (filled / "acme/a.key.pem").write_bytes(b"key")
    salvaged(filled, tmp_path / "new")
    assert (tmp_path / "new/acme/a.key.pem").read_bytes() == b"key"


async def test_a_sound_store_is_salvaged_whole(filled: Path, tmp_path: Path) -> None:
    report = salvaged(filled, tmp_path / "new")
    assert report.lost == []
    assert (report.messages, report.files) == (COUNT + 1, 1)
    before, after = await everything(filled), await everything(tmp_path / "new")
    assert before[1] == after[1]
    assert before[0].domains == after[0].domains
    store = await open_sqlite(tmp_path / "new")
    assert last_number(store) == COUNT + 1
    assert store.figures.usage(1).refused == 1
    await store.close()


@pytest.mark.parametrize("octets", [NOISE, bytes(PAGE_SIZE)], ids=["noise", "zeros"])
async def test_whichever_page_is_damaged_everything_is_salvaged_or_named(
    filled: Path, tmp_path: Path, octets: bytes
) -> None:
    """A page of the tree holds only so much mail, and an inner page none."""
    sound = (filled / DATABASE).read_bytes()
    for page in range(len(sound) // PAGE_SIZE):
        (filled / DATABASE).write_bytes(
            sound[: page * PAGE_SIZE] + octets + sound[(page + 1) * PAGE_SIZE :]
        )
        target = tmp_path / f"{page}"
        report = salvaged(filled, target)
        _, mail = await everything(target)
        assert all(octets == head(number) for number, octets in mail.items() if number <= COUNT)
        missing = set(range(1, COUNT + 2)) - mail.keys()
        assert len(missing) < 60, f"page {page}: {len(missing)} are lost"
        ranges = [
            finding
            for finding in report.lost
            if finding.kind == "message" and finding.number is None
        ]
        assert missing <= named(report) or ranges, f"page {page}"
        shutil.rmtree(target)


@pytest.mark.parametrize(
    "octets",
    [NOISE, bytes(PAGE_SIZE), b"\xff" * PAGE_SIZE, b"\x0d" + bytes(PAGE_SIZE - 1)],
    ids=["noise", "zeros", "ones", "an empty leaf"],
)
async def test_whichever_page_is_damaged_a_start_says_so_or_has_everything(
    filled: Path, octets: bytes
) -> None:
    """No page may be lost in silence: then a drain would say that nothing waits."""
    sound = (filled / DATABASE).read_bytes()
    before = await everything(filled)
    found, pages = 0, len(sound) // PAGE_SIZE
    for page in range(pages):
        (filled / DATABASE).write_bytes(
            sound[: page * PAGE_SIZE] + octets + sound[(page + 1) * PAGE_SIZE :]
        )
        try:
            assert await everything(filled) == before, f"page {page}"
        except StoreError:
            found += 1
        DamageMark(filled).remove()  # the next start is as quick as a first one
    assert found > pages // 2


def misplaced(octets: bytes, page: int, other: int) -> bytes:
    """Return a database in which one page has the octets of another, as a lost seek leaves it."""
    found = octets[other * PAGE_SIZE : (other + 1) * PAGE_SIZE]
    return octets[: page * PAGE_SIZE] + found + octets[(page + 1) * PAGE_SIZE :]


def exchanged(octets: bytes, page: int, other: int) -> bytes:
    """Return a database with two pages in each other's place."""
    return misplaced(misplaced(octets, page, other), other, page) if page != other else octets


def emptied_within(octets: bytes, page: int, _other: int) -> bytes:
    """Return a database in which sectors in the middle of a page are zeros."""
    quarter = PAGE_SIZE // 4
    at = page * PAGE_SIZE + quarter
    return octets[:at] + bytes(quarter) + octets[at + quarter :]


def _last_root(octets: bytes, directory: Path) -> int:
    """Return the last of the pages at which tables begin: the list of tables is among them."""
    (directory / "sound.db").write_bytes(octets)
    with closing(apsw.Connection(str(directory / "sound.db"))) as connection:
        [(last,)] = fetch(connection, "SELECT max(rootpage) FROM sqlite_schema")
    return int(last)


def cut_behind(octets: bytes, page: int, _other: int) -> bytes:
    """Return a database without its end."""
    return octets[: page * PAGE_SIZE + 100]


@pytest.mark.parametrize("change", [misplaced, exchanged, emptied_within, cut_behind])
async def test_pages_that_are_whole_and_wrong_cost_only_mail_that_is_named(
    filled: Path, tmp_path: Path, change: Callable[[bytes, int, int], bytes]
) -> None:
    """The engine reads such pages without an error: rows come twice, without end, or not at all."""
    sound = (filled / DATABASE).read_bytes()
    pages = len(sound) // PAGE_SIZE
    for page in range(1, pages, 3):
        (filled / DATABASE).write_bytes(change(sound, page, (page * 7) % pages))
        target = tmp_path / f"{page}"
        try:
            report = salvaged(filled, target)
        except StoreUnusable:
            assert change is cut_behind
            assert page <= _last_root(sound, tmp_path)  # the list of tables has lost a part
            continue
        _, mail = await everything(target)
        assert all(octets == head(number) for number, octets in mail.items() if number <= COUNT)
        unnamed = set(range(1, COUNT + 2)) - mail.keys() - named(report)
        is_range_told = any(
            finding.kind == "message" and finding.number is None for finding in report.lost
        )
        assert not unnamed or is_range_told, f"page {page}: {unnamed}"
        assert len(report.lost) < COUNT + 100
        shutil.rmtree(target)


@ANY_SIZE
async def test_mail_behind_an_inner_page_that_is_gone_is_found_on_its_pages(
    filled: Path, tmp_path: Path, page_size: int
) -> None:
    connection = apsw.Connection(str(filled / DATABASE))
    [(root,)] = fetch(connection, "SELECT rootpage FROM sqlite_schema WHERE name = 'message'")
    connection.close()
    with (filled / DATABASE).open("r+b") as file:
        file.seek((root - 1) * page_size)
        file.write(NOISE)
    report = salvaged(filled, tmp_path / "new")
    _, mail = await everything(tmp_path / "new")
    assert mail.keys() == set(range(1, COUNT + 2)), report.lost


@ANY_SIZE
@pytest.mark.parametrize("octets", [16, 100, 0], ids=["16", "100", "a page"])
async def test_a_store_without_its_header_is_salvaged(
    filled: Path, tmp_path: Path, octets: int, page_size: int
) -> None:
    with (filled / DATABASE).open("r+b") as file:
        file.write(bytes(octets or page_size))
    report = salvaged(filled, tmp_path / "new")
    assert [finding.kind for finding in report.lost] == ["database"]
    assert len((await everything(tmp_path / "new"))[1]) == COUNT + 1


@pytest.mark.parametrize("cut", [1, PAGE_SIZE, 10 * PAGE_SIZE], ids=str)
async def test_a_store_that_lost_its_end_is_salvaged(
    filled: Path, tmp_path: Path, cut: int
) -> None:
    whole = (filled / DATABASE).read_bytes()
    (filled / DATABASE).write_bytes(whole[:-cut])
    report = salvaged(filled, tmp_path / "new")
    _, mail = await everything(tmp_path / "new")
    assert set(range(1, COUNT + 2)) - mail.keys() <= named(report)
    assert len(mail) > COUNT - 60


async def test_content_that_is_damaged_is_named_with_whom_it_was_for(
    filled: Path, tmp_path: Path
) -> None:
    [file] = (filled / "content").glob("*/*")
    file.write_bytes(b"nothing of it")
    connection = apsw.Connection(str(filled / DATABASE))
    connection.execute("UPDATE message SET head_crc32 = 1 WHERE number = 5")
    connection.close()
    report = salvaged(filled, tmp_path / "new")
    assert named(report) == {5, COUNT + 1}
    assert all(
        "from <bob@example.org> to anna@alpha.example: " in finding.text for finding in report.lost
    )
    assert report.messages == COUNT - 1


async def test_a_domain_whose_record_is_lost_is_made_anew_and_suspended(
    filled: Path, tmp_path: Path
) -> None:
    connection = apsw.Connection(str(filled / DATABASE))
    connection.execute("DELETE FROM domain WHERE name = 'beta.example'")
    connection.execute("DELETE FROM account")
    connection.close()
    report = salvaged(filled, tmp_path / "new")
    found, mail = await everything(tmp_path / "new")
    again = found.domains["beta.example"]
    assert again.policy.suspension is not None
    assert (again.account, again.id) == ("salvaged", 2)
    assert set(found.accounts) == {"alpha", "salvaged"}
    assert len(mail) == COUNT + 1
    assert {finding.kind for finding in report.lost} == {"domain", "account"}


async def test_a_store_of_an_earlier_schema_is_salvaged_into_the_present_one(
    filled: Path, tmp_path: Path
) -> None:
    report = salvaged(unpack(FIRST, tmp_path), tmp_path / "new")
    assert report.lost == []
    assert report.schema == (5, len(migrations.MIGRATIONS))
    found, mail = await everything(tmp_path / "new")
    assert sorted(mail) == [2, 3, 4, 5, 6, 7, 8, 9, 11]
    assert set(found.domains) == {"alpha.example", "beta.example"}
    store = await open_sqlite(tmp_path / "new")
    assert (
        (await store.reports.report_backlog()).count,
        (await store.notices.notice_backlog()).count,
    ) == (1, 1)
    assert len(await store.audit.audit()) == 12
    assert (
        await store.records.put_domain(domain("new.example"), (await store.audit.audit())[0])
    ).id > 3  # no id is used again
    await store.close()


async def test_rows_that_were_not_checkpointed_are_salvaged_too(
    filled: Path, tmp_path: Path
) -> None:
    store = await open_sqlite(filled)
    await store.reception.hold([message(COUNT + 2, 1, head=head(1))])
    crashed = tmp_path / "crashed"
    await asyncio.to_thread(shutil.copytree, filled, crashed)
    await store.close()
    assert (crashed / f"{DATABASE}-wal").stat().st_size
    salvaged(crashed, tmp_path / "new")
    assert COUNT + 2 in (await everything(tmp_path / "new"))[1]


async def test_numbers_that_were_given_out_are_not_given_out_again(
    filled: Path, tmp_path: Path
) -> None:
    connection = apsw.Connection(str(filled / DATABASE))
    connection.execute("UPDATE message SET head_crc32 = 1 WHERE number > 120")
    connection.close()
    salvaged(filled, tmp_path / "new")
    store = await open_sqlite(tmp_path / "new")
    assert last_number(store) == COUNT + 1
    assert len(await all_held(store, 1)) < COUNT
    await store.close()


async def test_nothing_is_written_over(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").touch()
    with pytest.raises(StoreError, match="is not empty"):
        SqliteCare(filled).salvage(tmp_path / "new", lambda _count: None)


async def test_a_store_that_a_server_has_is_left_alone(filled: Path, tmp_path: Path) -> None:
    store = await open_sqlite(filled)
    with pytest.raises(StoreUnusable, match="in use"):
        SqliteCare(filled).salvage(tmp_path / "new", lambda _count: None)
    await store.close()
    assert not (tmp_path / "new").exists()


def test_a_directory_without_a_database_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="not there"):
        SqliteCare(tmp_path).salvage(tmp_path / "new", lambda _count: None)


def test_a_file_of_noise_is_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(NOISE * 3)
    with pytest.raises(StoreUnusable, match="restore a backup"):
        SqliteCare(tmp_path).salvage(tmp_path / "new", lambda _count: None)
    assert list((tmp_path / "new").iterdir()) == []
