"""Questions on reading connections: none waits for another, and damage ends the store."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import engine
from restante.store.sqlite.readers import ReaderPool
from restante.store.sqlite.store_health import StoreHealth
from restante.store.store_errors import StoreError


@pytest.fixture
def health() -> StoreHealth:
    """A store that is well."""
    return StoreHealth()


@pytest.fixture
def readers(tmp_path: Path, health: StoreHealth) -> Iterator[ReaderPool]:
    """Readers of a database with one table."""
    path = tmp_path / "db"
    with closing(engine.open_write_connection(path)) as connection:
        connection.execute("CREATE TABLE thing (text); INSERT INTO thing VALUES ('here')")
        readers = ReaderPool(path, health)
        yield readers
        readers.close()


def text(connection: apsw.Connection) -> object:
    return connection.execute("SELECT text FROM thing").get


async def test_a_question_is_answered(readers: ReaderPool, runner: object) -> None:
    assert await readers.ask(text) == "here"


async def test_a_long_question_does_not_hold_another_up(
    readers: ReaderPool, runner: object
) -> None:
    begun, end = threading.Event(), threading.Event()

    def long(_connection: apsw.Connection) -> str:
        begun.set()
        end.wait(60)
        return "at last"

    waiting = asyncio.ensure_future(readers.ask(long))
    await asyncio.to_thread(begun.wait, 10.0)
    assert await readers.ask(text) == "here"
    assert not waiting.done()
    end.set()
    assert await waiting == "at last"


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (apsw.CorruptError("malformed"), True),
        (apsw.BusyError("busy"), False),
        (apsw.SQLError("no such table"), False),
        (MemoryError(), False),
    ],
)
async def test_an_error_is_a_store_error_and_damage_is_the_end(
    readers: ReaderPool, health: StoreHealth, runner: object, error: Exception, is_final: bool
) -> None:
    def fail(_connection: apsw.Connection) -> None:
        raise error

    with pytest.raises(StoreError, match="reading: "):
        await readers.ask(fail)
    assert bool(health.failure) == is_final
    for _ in range(3):  # no connection was lost
        assert await readers.ask(text) == "here"


async def test_a_mistake_of_ours_is_raised_as_it_is(readers: ReaderPool, runner: object) -> None:
    def fail(_connection: apsw.Connection) -> None:
        raise KeyError("a mistake")

    with pytest.raises(KeyError, match="a mistake"):
        await readers.ask(fail)


async def test_a_question_writes_nothing(readers: ReaderPool, runner: object) -> None:
    with pytest.raises(StoreError, match="readonly"):
        await readers.ask(lambda connection: connection.execute("DELETE FROM thing").fetchall())
