"""Statements that wait for each other, without a clock."""

from typing import Final

import asyncpg

_LOOKS: Final = 3000
_WAITING: Final = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()
"""


async def when_one_waits(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Look until some session of this database waits for another one."""
    for _ in range(_LOOKS):
        if await connection.fetchval(_WAITING):
            return
    raise AssertionError("no session waits")
