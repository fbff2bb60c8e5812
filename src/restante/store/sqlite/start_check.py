"""The proof at start that the database can be walked: quick, or complete after earlier damage.

    everything, while SECONDS last   each table with its indexes, small ones first, as the engine
                                     checks them
    the tables after that            their indexes, and seeks spread over the table: every inner
                                     page, some leaves
    with a mark of damage            all of it, however long that takes, and each row is read

So a small store is proven whole. In a large one a damaged leaf of held mail may be missed here. The
scrub or the drain finds it later, and leaves the mark.
"""

import time
from collections.abc import Callable, Iterator

import apsw

from restante.store.sqlite import care_queries, engine, record_reading
from restante.store.sqlite.engine import fetch
from restante.store.store_errors import StoreDamaged

SECONDS = 0.6
"""For the engine's check, and as much for the walk over the rest: 10^6 messages take 1.2 s."""

_TITLE = "*** in database"
_SEEKS = 512  # spread over the messages
_PROGRESS_STEPS = 1000  # of the engine, between two looks at the clock


def prove(connection: apsw.Connection, seconds: float, *, is_suspect: bool) -> bool:
    """Return whether all of it was looked at. Needs no schema. Raises StoreDamaged, apsw.Error.

    Blocks.
    """
    if is_suspect:
        _walk_all(connection)
        return True
    if is_done_within(connection, seconds, _check_tables):
        return True
    is_done_within(connection, seconds, _walk_mail)
    return False


def prove_records(connection: apsw.Connection) -> None:
    """Read the operator's records, of the present schema. Raises StoreDamaged, apsw.Error.

    Blocks.
    """
    try:
        record_reading.directory(connection)
    except (ValueError, KeyError, TypeError) as error:  # pydantic's errors are ValueErrors
        raise StoreDamaged(f"a record cannot be read: {error}") from error


def findings(connection: apsw.Connection, table: str = "") -> Iterator[str]:
    """Yield what the engine finds wrong with a table and its indexes, or with everything.

    Each is one line. The engine puts several findings into one text, with a title before them.
    """
    query = f"PRAGMA integrity_check({engine.quoted(table)})" if table else "PRAGMA integrity_check"
    return (
        line
        for (text,) in fetch(connection, query)
        for line in text.splitlines()
        if line != "ok" and not line.startswith(_TITLE)
    )


def tables(connection: apsw.Connection) -> list[str]:
    """Return the names of all tables, those of mail last."""
    return [name for (name,) in fetch(connection, care_queries.TABLES)]


def _walk_all(connection: apsw.Connection) -> None:
    """Have the engine check everything, and read each row as the service would."""
    _refuse(next(findings(connection), None))
    for table in tables(connection):
        query = f"SELECT * FROM {engine.quoted(table)}"  # noqa: S608  a name from the schema
        for _row in connection.execute(query):
            pass


def _check_tables(connection: apsw.Connection) -> None:
    for table in tables(connection):
        _refuse(next(findings(connection, table), None))


def _walk_mail(connection: apsw.Connection) -> None:
    """Walk what a release walks, and come by every inner page of the table of messages."""
    if "message" not in tables(connection):
        return
    [(first, last)] = fetch(connection, care_queries.NUMBER_SPAN)
    step = max(1, ((last or 0) - (first or 0)) // _SEEKS)
    for number in range(first or 0, (last or 0) + 1, step):
        fetch(connection, care_queries.NEXT_NUMBER, (number,))
    indexes = {name for (name,) in fetch(connection, care_queries.INDEXES)}
    for index, query in care_queries.WALKS.items():
        if index in indexes:  # otherwise the schema is an earlier one
            fetch(connection, query)


def _refuse(finding: str | None) -> None:
    if finding is not None:
        raise StoreDamaged(finding)


def is_done_within(
    connection: apsw.Connection, seconds: float, work: Callable[[apsw.Connection], None]
) -> bool:
    """Do work as long as there is time; tell whether it came to its end."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() >= deadline, _PROGRESS_STEPS)
    try:
        work(connection)
    except apsw.InterruptError:
        return False
    finally:
        connection.set_progress_handler(None)
    return True
