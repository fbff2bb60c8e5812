"""The mark of a move in a database (`moving/move_mark`).

Its table is there only where a move began. So a server needs no other version of the tables.
"""

from restante.store.moving.move_mark import MoveMark, read_mark
from restante.store.postgres import move_statements
from restante.store.postgres.database_session import DatabaseSession
from restante.store.store_errors import StoreMisplaced


async def mark_of(session: DatabaseSession) -> MoveMark | None:
    """Return the mark of a store. Raises StoreMisplaced if it cannot be read."""
    [(is_there,)] = await session.fetch(move_statements.HAS_MARK)
    rows = await session.fetch(move_statements.MARK) if is_there else []
    try:
        return read_mark(rows[0][0]) if rows else None
    except ValueError as error:
        raise StoreMisplaced(f"the table move_mark of the database: {error}; restore it") from None
