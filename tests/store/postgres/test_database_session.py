"""A COMMIT: never cancelled, in doubt after a loss, and failed after a warning."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import asyncpg
import pytest

from restante.store.postgres import sqlstate
from restante.store.postgres.database_session import (
    DatabaseSession,
    OutcomeUnknown,
    SessionLost,
    open_session,
)
from restante.store.store_errors import StoreError, StoreUnusable
from tests.store.postgres.waiting import when_one_waits

WARN = "DO $$ BEGIN RAISE WARNING 'waiting was cancelled'; END $$"
SLEEP = "SELECT pg_sleep(60)"


@pytest.fixture
def session(postgres_url: str, runner: asyncio.Runner) -> Iterator[DatabaseSession]:
    session = runner.run(open_session(postgres_url, patience=5.0))
    yield session
    session.abort()


async def fail(session: DatabaseSession) -> None:
    """Change something, and raise an error."""
    async with session.transaction():
        await session.fetch("INSERT INTO counter VALUES ('lost', 1)")
        raise ZeroDivisionError


async def test_a_block_is_committed_or_nothing_of_it(
    session: DatabaseSession, postgres_url: str
) -> None:
    other = await open_session(postgres_url)
    async with session.transaction():
        await session.fetch("INSERT INTO counter VALUES ('kept', 1)")
        assert await other.fetch("SELECT 1 FROM counter WHERE name = 'kept'") == []
    with pytest.raises(ZeroDivisionError):
        await fail(session)
    names = await other.fetch("SELECT name FROM counter WHERE name IN ('kept', 'lost')")
    assert [name for (name,) in names] == ["kept"]
    assert session.is_idle
    await other.close()


async def test_an_error_of_a_statement_rolls_the_block_back(session: DatabaseSession) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        async with session.transaction():
            await session.fetch("INSERT INTO counter VALUES ('change-number', 1)")
    assert session.is_idle
    assert not session.is_lost


async def test_a_block_that_hides_a_failed_statement_is_not_taken_for_committed(
    session: DatabaseSession,
) -> None:
    """The server answers to its COMMIT with ROLLBACK, and no error."""
    with pytest.raises(StoreError, match="was rolled back"):
        await hide(session)
    assert session.is_idle


async def hide(session: DatabaseSession) -> None:
    """Fail, and go on as if nothing had happened."""
    async with session.transaction():
        with suppress(asyncpg.UniqueViolationError):
            await session.fetch("INSERT INTO counter VALUES ('change-number', 1)")


async def test_a_statement_that_warns_at_its_commit_has_failed(session: DatabaseSession) -> None:
    with pytest.raises(OutcomeUnknown, match="warned at a commit: waiting was cancelled"):
        await session.fetch(WARN)


async def test_a_transaction_that_warns_at_its_commit_has_failed(session: DatabaseSession) -> None:
    """As a server does whose wait for a standby was cancelled; here a deferred trigger warns."""
    await session.script(
        """
        CREATE TABLE warning (at integer);
        CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE WARNING 'waiting was cancelled'; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER warns AFTER INSERT ON warning
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn();
        """
    )
    with pytest.raises(OutcomeUnknown, match="warned at a commit: waiting was cancelled"):
        await insert(session)


async def insert(session: DatabaseSession) -> None:
    """Add a row in a transaction."""
    async with session.transaction():
        await session.fetch("INSERT INTO warning VALUES (1)")


async def test_a_warning_inside_of_a_transaction_is_none_of_its_commit(
    session: DatabaseSession,
) -> None:
    async with session.transaction():
        await session.fetch(WARN)


async def test_the_socket_is_aborted_when_patience_ends(postgres_url: str) -> None:
    session = await open_session(postgres_url, patience=0.05)
    with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
        await session.fetch(SLEEP)
    assert session.is_lost


async def test_a_statement_that_reads_much_is_waited_for_longer(postgres_url: str) -> None:
    session = await open_session(postgres_url, patience=0.05)
    with session.patient():
        await session.fetch("SELECT pg_sleep(0.2)")
    with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
        await session.fetch(SLEEP)
    assert session.is_lost, "the usual patience is back"


async def test_settings_of_the_database_change_no_session(postgres_url: str) -> None:
    """Each of these would break a rule: a timeout cancels the wait of a COMMIT, for example."""
    connection = await asyncpg.connect(postgres_url)
    name = await connection.fetchval("SELECT current_database()")
    for setting in (
        "statement_timeout = '1ms'",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "idle_in_transaction_session_timeout = 0",
        "lock_timeout = 0",
    ):
        await connection.execute(f"ALTER DATABASE {name} SET {setting}")
    await connection.close()
    session = await open_session(postgres_url)
    await session.fetch("INSERT INTO counter VALUES ('kept', 1)")
    found = {}
    for (setting,) in await session.fetch("SELECT name FROM pg_settings WHERE source = 'client'"):
        [(found[setting],)] = await session.fetch(f"SHOW {setting}")
    assert found["statement_timeout"] == "0"
    assert found["lock_timeout"] == "8s"
    assert found["idle_in_transaction_session_timeout"] == "10s"
    assert found["default_transaction_isolation"] == "read committed"
    await session.close()


async def test_a_standby_is_not_used_unless_the_url_says_so(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    async def connect(_url: str, **settings: object) -> None:
        given.append(settings["target_session_attrs"])
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", connect)
    for url in (postgres_url, f"{postgres_url}&target_session_attrs=any"):
        with suppress(ConnectionRefusedError):
            await open_session(url)
    assert given == ["read-write", None]


async def test_a_value_that_does_not_fit_is_no_absence_of_the_database(
    session: DatabaseSession,
) -> None:
    with pytest.raises(asyncpg.DataError) as raised:
        await session.fetch("SELECT $1::integer", "text")
    assert not sqlstate.is_away(raised.value)
    assert session.is_idle


async def test_a_statement_on_a_closed_session_says_that_it_is_lost(
    session: DatabaseSession,
) -> None:
    session.abort()
    with pytest.raises(SessionLost) as raised:
        await session.fetch("SELECT 1")
    assert sqlstate.is_away(raised.value)


async def test_the_outcome_is_unknown_if_the_session_ends_in_a_commit(
    session: DatabaseSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is made, and its answer lost."""
    made = session._command

    async def lose(text: str) -> str:
        answer = await made(text)
        if text == "COMMIT":
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(session, "_command", lose)
    with pytest.raises(OutcomeUnknown):
        async with session.transaction():
            pass


async def test_a_plain_session_refuses_settings_of_its_role_that_break_a_rule(
    postgres_url: str,
) -> None:
    await (await open_session(postgres_url, is_plain=True)).close()
    connection = await asyncpg.connect(postgres_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET statement_timeout = '9s'")
    await connection.close()
    with pytest.raises(StoreUnusable, match="have statement_timeout = 9s; ALTER ROLE"):
        await open_session(postgres_url, is_plain=True)


async def test_a_plain_session_waits_for_locks_and_listens_to_nothing(postgres_url: str) -> None:
    session = await open_session(postgres_url, is_plain=True)
    another = await asyncpg.connect(postgres_url)
    block = another.transaction()
    await block.start()
    await another.execute("SELECT 1 FROM counter FOR UPDATE")
    asking = asyncio.ensure_future(session.fetch("SELECT 1 FROM counter FOR UPDATE SKIP LOCKED"))
    await when_one_waits(another)
    await block.commit()
    assert await asking == [(1,)]
    await session.listen("channel", lambda: None)
    assert await session.fetch("SELECT pg_listening_channels()") == []
    await session.close()
    await another.close()
