"""Steps of the schema: each once, whole or not at all, and old records are read by new code."""

import asyncio
import zlib
from pathlib import Path

import apsw
import pytest

from restante import __version__
from restante.mail.envelope import Envelope
from restante.queue.drain_word import DrainEnd
from restante.queue.history import HistoryFilter
from restante.queue.sending_outcome import Backlog
from restante.store.handover_store import PastDrain
from restante.store.queue_store import QueueFilter
from restante.store.sqlite import SqliteStore, migrations, open_sqlite, portal_schema
from restante.store.sqlite.mail_reading import past_drains
from restante.store.store_errors import StoreMismatched
from restante.tenancy.policy import Policy
from restante.tenancy.quota import Quota
from restante.tenancy.release_result import ReleaseResult
from restante.tenancy.sign_in_factor import SignInFactor, known_factors
from tests.contract.making import (
    CONTENT,
    all_held,
)


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
    with pytest.raises(StoreMismatched, match="install the version of Restante that upgraded it"):
        await open_sqlite(directory)


async def test_the_program_that_made_the_tables_is_noted(
    store: SqliteStore, directory: Path
) -> None:
    await store.close()
    connection = apsw.Connection(str(directory / "restante.db"))
    newest = len(migrations.MIGRATIONS)
    query = "SELECT program FROM schema_program WHERE schema = ?"
    assert [*connection.execute(query, (newest,))] == [(__version__,)]
    connection.close()


def test_each_step_says_in_a_line_what_it_does() -> None:
    for step in migrations.MIGRATIONS:
        assert migrations.summary(step).endswith("."), step


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
    assert connection.execute("SELECT facts FROM notice").get == kept
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


async def test_drains_that_ended_before_uncertain_mail_was_counted_apart_are_read(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:7])
    connection.execute(
        "INSERT INTO past_drain VALUES (1, 1.0, 2.0, 'operator', 'finished', 'why', 3, 4, 5, '')"
    )
    migrations.migrate(connection)
    past = PastDrain(1.0, 2.0, "operator", DrainEnd.FINISHED, "why", 3, 4, 5, "", 0, "")
    assert past_drains(connection) == {1: past}
    connection.close()


async def test_reports_that_waited_before_the_count_are_counted(
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


async def test_mail_and_history_of_before_are_found_by_message_id_and_time(
    runner: asyncio.Runner, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    connection = apsw.Connection(str(tmp_path / "store" / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:18])
    connection.execute(
        "INSERT INTO message (number, domain_id, received_at, size, flags, reverse_path,"
        " held_paths, head_crc32, head, message_id) VALUES (7, 1, 7.0, ?, 0, '', ?, ?, ?, '<1@a>')",
        (len(CONTENT), "anna@alpha.example", zlib.crc32(CONTENT), CONTENT),
    )
    entry = "1, 1, 7, 0.0, 9, 0, '', '', '', '', ''"
    for hour in (1, 1, 3):
        connection.execute(f"INSERT INTO history VALUES (NULL, {hour * 3600.0}, {entry})")
    connection.close()

    store = await open_sqlite(tmp_path / "store")
    [held] = await store.queue.list_queue(QueueFilter(message_id="<1@a>"))
    assert held.number == 7
    for span, ids in (
        (HistoryFilter(since=7200.0), [3]),
        (HistoryFilter(until=7200.0), [2, 1]),
        (HistoryFilter(since=0.0), [3, 2, 1]),
    ):
        assert [one.id for one in await store.history.history(span)] == ids
    assert [one.origin for one in await store.history.history(HistoryFilter())] == [None] * 3
    await store.close()


def test_replies_to_releases_become_their_results(tmp_path: Path) -> None:
    replies = ["253 2.0.0 OK, 2 pending messages for node a started", "250 OK", "251 OK", "459 no"]
    replies += ["458 no", "500 no", "501 no", "530 no", ""]
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    before = migrations.MIGRATIONS.index(portal_schema.name_results_of_releases)
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    connection.executemany(
        "INSERT INTO release VALUES (?, 1.0, 'login a', '', 'a', 'a', 'a', ?, 'granted', 2)",
        list(enumerate(replies)),
    )
    migrations.migrate(connection)
    found = [row[0] for row in connection.execute("SELECT result FROM release ORDER BY id")]
    assert found == [
        *("granted", "nothing-held", "nothing-held", "refused", "cannot-now"),
        *("not-a-target", "not-a-target", "not-authenticated", "cannot-now"),
    ]
    assert set(found) == set(ReleaseResult)
    connection.close()


def test_replies_in_the_audit_trail_get_their_results(tmp_path: Path) -> None:
    """The reply stays. Only requests to release mail have a result."""
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    before = migrations.MIGRATIONS.index(portal_schema.name_results_in_audit)
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    connection.executemany(
        "INSERT INTO audit VALUES (NULL, 1.0, ?, 'login a', 'a', 'a', '', ?, '', '', '')",
        [
            ("release-requested", "253 2.0.0 OK, 2 pending messages for node a started"),
            ("release-requested", "459 4.7.1 Node b not allowed"),
            ("login-refused", "535 5.7.8 no"),
        ],
    )
    migrations.migrate(connection)
    found = connection.execute("SELECT result, substr(answer, 1, 3) FROM audit ORDER BY id")
    assert list(found) == [("granted", "253"), ("refused", "459"), ("", "535")]
    connection.close()


def test_places_of_actors_keep_their_values(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    before = migrations.MIGRATIONS.index(portal_schema.rename_places_of_actors)
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    marks = "(NULL, 1.0, 'release-requested', 'login a', 'a', 'a', '192.0.2.1', '', '', '', '', '')"
    connection.execute(f"INSERT INTO audit VALUES {marks}")
    connection.execute(
        "INSERT INTO release VALUES (1, 1.0, 'login a', '192.0.2.2', 'a', 'a', 'a', 'granted', '',"
        " 2)"
    )
    connection.execute(
        "INSERT INTO scheduled_change VALUES (1, 1, 'a.example', 'a', 'login a', '192.0.2.3', '',"
        " '', 1.0, 2.0, NULL, NULL, NULL, NULL, '', 0)"
    )
    migrations.migrate(connection)
    found = [
        connection.execute(f"SELECT acted_from FROM {table}").get
        for table in ("audit", "release", "scheduled_change")
    ]
    assert found == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    connection.close()


def test_columns_named_as_fields_keep_their_values(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    before = migrations.MIGRATIONS.index(portal_schema.name_columns_as_fields)
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    for table, values in {
        "answer": "1, 'owner', 'k', x'00', 1.0, 200, NULL",
        "past_drain": "1, 1.0, 2.0, 'operator', 'finished', 'why', 3, 4, 5, '450 no', 0, ''",
        "channel": "1, '', 'ops', 'mail', 'ops@example.org', NULL, 'room-short', 1.0, 1",
        "notice": "1, 1, 'key', '{}', 0, 7.0, 9.0, 0, ''",
        "past_notice": "1, 1, 'key', '[]', 0, 7.0, 1, 0, ''",
    }.items():
        connection.execute(f"INSERT INTO {table} VALUES ({values})")
    migrations.migrate(connection)
    found = [
        connection.execute(f"SELECT {columns} FROM {table}").get
        for table, columns in {
            "answer": "key_owner",
            "past_drain": "last_error",
            "channel": "transport, all_accounts",
            "notice": "facts",
            "past_notice": "facts",
        }.items()
    ]
    assert found == ["owner", "450 no", ("mail", 1), "{}", "[]"]
    connection.close()


def test_words_that_had_a_space_are_read_with_a_hyphen(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    before = migrations.MIGRATIONS.index(portal_schema.spell_words_with_hyphens)
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    for number, end in enumerate(("given up", "finished", ""), 1):
        connection.execute(
            f"INSERT INTO past_drain VALUES ({number}, 1.0, 2.0, 'operator', '{end or 'refused'}',"
            " 'given up', 3, 4, 5, '450 no', 0, '')"
        )
        connection.execute(
            f"INSERT INTO release_drain VALUES (9, {number}, 9, 1, 0, 0, 0, 2.0, '{end}')"
        )
    marks = "1.0, 'change-applied', 'policy scheduled changes', '', 'a', 'this server'"
    connection.execute(f"INSERT INTO audit VALUES (NULL, {marks}, '', '', '', '', '')")
    migrations.migrate(connection)
    assert list(connection.execute("SELECT ending, reason FROM past_drain")) == [
        ("given-up", "given up"),  # a reason is a text
        ("finished", "given up"),
        ("refused", "given up"),
    ]
    drains = connection.execute("SELECT ending FROM release_drain").fetchall()
    assert drains == [("given-up",), ("finished",), ("",)]
    assert connection.execute("SELECT actor FROM audit").get == "policy scheduled-changes"
    connection.close()


def test_factors_that_were_a_phrase_are_words(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    before = migrations.MIGRATIONS.index(portal_schema.store_factors_as_words)
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    phrases = (
        "password and one-time code",
        "password and recovery code",
        "password",
        "passkey",
        "one-time code",
        "provider Acme and sons",
        "link",
    )
    for number, phrase in enumerate(phrases):
        connection.execute(
            f"INSERT INTO portal_session VALUES (x'{number:02}', 'a@a.example', x'00', '{phrase}',"
            " '', '', 1.0, 1.0, 1.0)"
        )
    migrations.migrate(connection)
    stored = connection.execute("SELECT factors FROM portal_session ORDER BY id_hash").fetchall()
    connection.close()
    assert [words for (words,) in stored] == [
        "password one-time-code",
        "password recovery-code",
        "password",
        "passkey",
        "one-time-code",
        "provider",
        "link",
    ]
    factors = [factor for (words,) in stored for factor in known_factors(str(words).split())]
    assert set(factors) == set(SignInFactor)


def test_a_drain_of_an_older_store_is_read(tmp_path: Path) -> None:
    before = migrations.MIGRATIONS.index(portal_schema.spell_words_with_hyphens)
    database = tmp_path / "restante.db"
    connection = apsw.Connection(str(database))
    migrations.migrate(connection, migrations.MIGRATIONS[:before])
    connection.execute(
        "INSERT INTO past_drain VALUES (7, 1.0, 2.0, 'operator', 'given up', 'why', 3, 4, 5, '', 0,"
        " '')"
    )
    migrations.migrate(connection)
    [past] = past_drains(connection).values()
    connection.close()
    assert past.end is DrainEnd.GIVEN_UP
