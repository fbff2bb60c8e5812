"""Opening a store: a new one, an old one, somebody else's, one that a crash has left."""

import asyncio
import os
import shutil
import stat
import zlib
from pathlib import Path

import apsw
import pytest

from restante.mail.envelope import Envelope
from restante.queue.sending_outcome import Backlog
from restante.store.mail_figures import Usage
from restante.store.sqlite import SqliteStore, engine, migrations, open_sqlite
from restante.store.store_errors import StoreDamaged, StoreUnusable
from restante.tenancy.policy import Policy
from restante.tenancy.quota import Quota
from tests.contract.making import (
    CONTENT,
    NOTED,
    all_held,
    content,
    delivered,
    held_numbers,
    hold,
    hosted,
    last_number,
    message,
    opened,
    refused,
    spooled,
    taken_over,
)

# --- who may


def modes(directory: Path) -> dict[bool, set[int]]:
    """The permissions of all directories (True) and of all files (False)."""
    found: dict[bool, set[int]] = {True: set(), False: set()}
    for path in (directory, *directory.rglob("*")):
        found[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    return found


async def test_everything_is_the_users_own(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, file=await spooled(store, b"content"))])
    assert modes(directory) == {True: {0o700}, False: {0o600}}


async def test_directories_that_are_missing_are_made_the_users_own(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    await (await open_sqlite(tmp_path / "one" / "two")).close()
    assert modes(tmp_path / "one") == {True: {0o700}, False: {0o600}}


async def test_a_directory_in_use_is_refused_with_the_name_of_the_process(
    store: SqliteStore, directory: Path
) -> None:
    with pytest.raises(StoreUnusable, match=f"in use by process {os.getpid()}"):
        await open_sqlite(directory)


async def test_a_directory_left_by_a_process_that_died_is_free(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    (directory / "lock").write_text("999999\n")
    await (await open_sqlite(directory)).close()


async def test_a_failed_opening_lets_go_of_the_directory(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    path = directory / "restante.db"
    sound = path.read_bytes()
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnusable, match="not a database"):
        await open_sqlite(directory)
    path.write_bytes(sound)
    await (await open_sqlite(directory)).close()


async def test_a_directory_that_cannot_be_made_is_said_in_one_line(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match=r"file.*may write there"):
        await open_sqlite(tmp_path / "file" / "store")


# --- which engine


@pytest.mark.parametrize("version", ["3.51.3", "3.51.10", "3.52.0", "4.0.0"])
def test_engines_without_the_checkpoint_race_will_do(version: str) -> None:
    engine.check_engine(version)


@pytest.mark.parametrize("version", ["3.51.2", "3.46.1", "3.7.0"])
def test_older_engines_will_not(version: str) -> None:
    with pytest.raises(StoreUnusable, match=rf"SQLite {version} can lose .* 3\.51\.3"):
        engine.check_engine(version)


async def test_the_database_is_set_up_to_keep_what_it_says(store: SqliteStore) -> None:
    connection = store.core.writer._connection
    pragmas = {
        name: connection.pragma(name)
        for name in ("journal_mode", "synchronous", "page_size", "mmap_size")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "page_size": 16384, "mmap_size": 0}


# --- which schema


def user_version(directory: Path) -> int:
    connection = apsw.Connection(str(directory / "restante.db"))
    version = int(connection.pragma("user_version"))
    connection.close()
    return version


async def test_a_new_database_has_the_present_schema(store: SqliteStore, directory: Path) -> None:
    assert user_version(directory) == len(migrations.MIGRATIONS)


async def test_a_newer_schema_is_refused_with_a_remedy(store: SqliteStore, directory: Path) -> None:
    await store.close()
    connection = apsw.Connection(str(directory / "restante.db"))
    connection.pragma("user_version", len(migrations.MIGRATIONS) + 1)
    connection.close()
    with pytest.raises(StoreUnusable, match="run the newer restante again"):
        await open_sqlite(directory)


def make_first_schema(directory: Path) -> None:
    """An account and a domain, as the first version kept them."""
    directory.mkdir()
    connection = apsw.Connection(str(directory / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:1])
    connection.execute("INSERT INTO account VALUES ('alpha', 1.0, 251, '')")
    destination = (
        '{"host": "192.0.2.1", "port": 25, "tls": "off", "ca_file": "", "key_pins": [], "login":'
        " null, "
    )
    connection.execute(
        "INSERT INTO domain (name, account, destination, authorized_hosts, created_at) "
        "VALUES ('alpha.example', 'alpha', ?, '[]', 2.0)",
        (destination + '"connections": 4}',),
    )
    connection.close()


async def test_records_of_the_first_schema_have_the_default_policy(
    runner: asyncio.Runner, directory: Path
) -> None:
    make_first_schema(directory)
    store = await open_sqlite(directory)
    found = await store.records.directory()
    assert found.accounts["alpha"].quota == Quota()
    assert found.domains["alpha.example"].policy == Policy()
    await store.close()


def steps(*statements: str) -> tuple[migrations.Migration, ...]:
    """Migrations that do one statement each."""

    def step(statement: str) -> migrations.Migration:
        return lambda connection: connection.execute(statement)

    return tuple(map(step, statements))


def test_only_the_steps_that_are_missing_are_made() -> None:
    connection = apsw.Connection(":memory:")
    assert migrations.migrate(connection, steps("CREATE TABLE one (x)")) == 1
    assert (
        migrations.migrate(connection, steps("CREATE TABLE one (x)", "CREATE TABLE two (x)")) == 2
    )
    assert connection.pragma("user_version") == 2
    assert connection.table_exists("main", "two")


def test_a_step_that_fails_leaves_the_version_before_it() -> None:
    connection = apsw.Connection(":memory:")
    broken = steps("CREATE TABLE one (x)", "CREATE TABLE two (x); INSERT INTO three VALUES (1)")
    with pytest.raises(apsw.SQLError):
        migrations.migrate(connection, broken)
    assert connection.pragma("user_version") == 1
    assert not connection.table_exists("main", "two")


async def test_mail_held_before_there_were_reports_is_held_as_it_was(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    connection = apsw.Connection(str(tmp_path / "store" / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:1])
    row = (
        7,
        1,
        7.0,
        len(CONTENT),
        3,
        "bob@example.org",
        "anna@alpha.example",
        None,
        None,
        zlib.crc32(CONTENT),
        CONTENT,
    )
    connection.execute(f"INSERT INTO message VALUES ({','.join('?' * len(row))})", row)
    connection.close()

    store = await open_sqlite(tmp_path / "store")
    [held] = await all_held(store, 1)
    assert (held.number, held.received_at, held.head) == (7, 7.0, CONTENT)
    assert held.envelope == Envelope(
        "bob@example.org", ("anna@alpha.example",), is_8bit=True, needs_smtputf8=True
    )
    assert await store.reports.due_reports(1e12, 10, 1 << 20) == []
    await store.close()


async def test_notices_of_refused_deliveries_get_the_name_of_their_event(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    connection = apsw.Connection(str(tmp_path / "store" / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:11])
    connection.execute(
        "INSERT INTO channel (account, name, way, target, kinds, created_at, hears_all) "
        "VALUES ('', 'ops', 'mail', 'ops@example.org', 'mail-refused\nroom-short', 1.0, 0)"
    )
    news = '{"kind": "mail-refused", "text": "mail-refused"}'
    connection.execute(
        "INSERT INTO notice (channel_id, key, news, held_back, made_at, next_attempt_at, failures, "
        "reply) VALUES (1, 'key', ?, 0, 7.0, 9.0, 0, '')",
        (news,),
    )
    connection.executemany(
        "INSERT INTO quiet VALUES ('', ?, ?, 9.0, 0, ?)",
        [("mail-refused", "a", None), ("mail-refused", "b", news), ("room-short", "c", None)],
    )
    migrations.migrate(connection)
    kept = '{"kind":"delivery-refused","text":"mail-refused"}'
    assert connection.execute("SELECT kinds FROM channel").get == "delivery-refused\nroom-short"
    assert connection.execute("SELECT news FROM notice").get == kept
    assert list(connection.execute("SELECT kind, about, last FROM quiet ORDER BY about")) == [
        ("delivery-refused", "a", None),
        ("delivery-refused", "b", kept),
        ("room-short", "c", None),
    ]
    connection.close()


async def test_damaged_mail_and_what_is_held_again_get_names_of_their_own(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    connection = apsw.Connection(str(tmp_path / "store" / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:12])
    connection.executemany(
        "INSERT INTO last_reply VALUES (1, ?, 'a@alpha.example', ?, ?, 1.0)",
        [(1, 1, "damaged: its content is missing"), (2, 1, "550 no"), (3, 2, "damaged: odd")],
    )
    connection.execute(
        "INSERT INTO audit (at, action, actor, subject, account, origin, answer, reason) "
        "VALUES (1.0, 'refused-released', 'operator', '1', 'alpha', '', '', '')"
    )
    migrations.migrate(connection)
    kinds = list(connection.execute("SELECT number, is_refused FROM last_reply ORDER BY number"))
    assert kinds == [(1, 3), (2, 1), (3, 2)]
    assert connection.execute("SELECT action FROM audit").get == "mail-held-again"
    connection.close()


async def test_what_waited_before_it_was_counted_is_counted(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    connection = apsw.Connection(str(tmp_path / "store" / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:4])
    for at in (5.0, 6.0):
        connection.execute(
            "INSERT INTO report (about, domain_id, action, reverse_path, flags, made_at,"
            " next_attempt_at, failures, reply, content)"
            " VALUES (1, 1, 'failed', 'bob@example.org', 0, ?, 9.0, 0, '', x'00')",
            (at,),
        )
    connection.execute(
        "INSERT INTO notice"
        " (channel_id, key, news, held_back, made_at, next_attempt_at, failures, reply)"
        " VALUES (1, 'key', '{}', 0, 7.0, 9.0, 0, '')"
    )
    connection.close()
    store = await open_sqlite(tmp_path / "store")
    assert (await store.reports.report_backlog(), await store.notices.notice_backlog()) == (
        Backlog(2, 5.0),
        Backlog(1, 7.0),
    )
    await store.close()


# --- after a crash


async def crashed(store: SqliteStore, directory: Path) -> Path:
    """Copy the disk while the store is open, as a crash at this moment would leave it."""
    copy = directory.with_name("crashed")
    await asyncio.to_thread(shutil.copytree, directory, copy)
    return copy


async def test_what_was_done_is_there_after_a_crash(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    await hold(store, domain_id, 1, 2, 3)
    await store.reception.hold([message(4, domain_id, file=file)])
    drain = await opened(store, domain_id, 5.0, 60.0)
    await store.handover.settle(drain, [delivered(1), refused(2)])
    again = await open_sqlite(await crashed(store, directory))
    assert [one.number for one in await all_held(again, domain_id)] == [3, 4]
    assert await content(again.content.read_file(file)) == b"content"
    assert (
        again.figures.usage(domain_id)
        == store.figures.usage(domain_id)
        == Usage(3, 3 * len(CONTENT) + 7, refused=1)
    )
    assert (
        again.figures.usage_of_account("alpha")
        == store.figures.usage_of_account("alpha")
        == again.figures.usage(domain_id)
    )
    assert last_number(again) == 4
    assert again.handover.open_drains() == [drain]
    assert await again.records.directory() == await store.records.directory()
    await again.close()


async def test_a_drain_found_after_a_crash_can_be_taken_up(
    store: SqliteStore, directory: Path
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await opened(store, domain_id, 5.0, 60.0)
    again = await open_sqlite(await crashed(store, directory))
    [left] = again.handover.open_drains()
    drain = await taken_over(again, left)
    assert drain.number > left.number
    await again.handover.settle(drain, [delivered(1)])
    await again.close()


async def test_the_numbers_are_known_after_everything_was_handed_over(
    store: SqliteStore, directory: Path
) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await hold(store, alpha, 5)
    await hold(store, beta, 9)
    await store.queue.delete([5, 9], NOTED)
    await store.records.remove_domain(beta, NOTED)
    await store.close()
    again = await open_sqlite(directory)
    assert last_number(again) == 9
    assert await hosted(again, "gamma.example") not in (alpha, beta)
    await again.close()


def remove_logs(directory: Path) -> None:
    for path in directory.glob("restante.db-*"):
        path.unlink()


async def test_a_clean_end_leaves_all_in_one_file(store: SqliteStore, directory: Path) -> None:
    """So that a copy of restante.db and content/ is a backup."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await store.close()
    remove_logs(directory)
    again = await open_sqlite(directory)
    assert await held_numbers(again, domain_id) == [1]
    await again.close()


# --- orphans


def files(directory: Path) -> set[str]:
    return {f"{path.parent.name}/{path.name}" for path in (directory / "content").glob("*/*")}


async def test_content_that_no_message_names_is_swept(store: SqliteStore, directory: Path) -> None:
    """A crash between a file and its row, at the beginning or the end, leaves an orphan file."""
    domain_id = await hosted(store)
    kept, orphan = await spooled(store, b"kept"), await spooled(store, b"orphan")
    begun = store.reception.open_spool()
    await begun.write(b"never finished")
    await store.reception.hold([message(1, domain_id, file=kept)])
    copy = await crashed(store, directory)
    assert len(files(copy)) == 3
    again = await open_sqlite(copy)
    assert files(copy) == {kept.name}
    assert orphan.name not in files(copy)
    await again.close()


async def test_content_without_a_database_is_not_taken_for_orphans(
    store: SqliteStore, directory: Path
) -> None:
    await spooled(store, b"somebody's mail")
    await store.close()
    (directory / "restante.db").unlink()
    with pytest.raises(StoreDamaged, match=r"restante\.db is missing or empty"):
        await open_sqlite(directory)
    assert len(files(directory)) == 1


async def test_a_message_gone_takes_its_file_along(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 0.0, 60.0)
    settled, settled_in_part, deleted, stays = [await spooled(store, bytes(10)) for _ in range(4)]
    await store.reception.hold(
        [
            message(1, domain_id, file=settled),
            message(2, domain_id, "anna@alpha.example", "bert@alpha.example", file=settled_in_part),
            message(3, domain_id, file=deleted),
            message(4, domain_id, file=stays),
        ]
    )
    await store.handover.settle(drain, [delivered(1), delivered(2, "anna@alpha.example")])
    await store.handover.settle(drain, [delivered(2, "bert@alpha.example")])
    await store.queue.delete([3], NOTED)
    await store.close()
    assert files(directory) == {stays.name}


async def test_what_is_discarded_leaves_no_file(store: SqliteStore, directory: Path) -> None:
    begun, finished, untouched = (
        store.reception.open_spool(),
        store.reception.open_spool(),
        store.reception.open_spool(),
    )
    await begun.write(b"begun")
    await finished.write(b"finished")
    await finished.close()
    cancelled = store.reception.open_spool()
    writing = asyncio.ensure_future(cancelled.write(b"cancelled"))
    await asyncio.sleep(0)
    writing.cancel()
    for spool in (begun, finished, untouched, cancelled, begun):
        spool.discard()
    await asyncio.gather(writing, return_exceptions=True)
    await store.close()
    assert files(directory) == set()


async def test_held_numbers_are_in_order_after_reopening(
    store: SqliteStore, directory: Path
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 300, 3))
    await store.close()
    again = await open_sqlite(directory)
    assert await held_numbers(again, domain_id) == list(range(1, 300, 3))
    await again.close()
