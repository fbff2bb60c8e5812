"""The meaning of the driver's errors, by SQLSTATE (PostgreSQL documentation, appendix A)."""

from typing import Final

import asyncpg
from asyncpg.exceptions import TargetServerAttributeNotMatched

from restante.phrases import cause_of
from restante.store.store_errors import (
    SearchTooLong,
    StoreError,
    StoreFull,
    StoreUnreachable,
)

DISK_FULL: Final = "53100"
QUERY_CANCELED: Final = "57014"  # by statement_timeout: nothing here cancels a statement
_AGAIN: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock
# Connection exceptions, and operator intervention: shut down, crashed, starting up.
_AWAY: Final = ("08", "57P")
_READ_ONLY: Final = "25006"  # it has become a standby
_TOO_MANY: Final = "53300"  # connections


def is_worth_repeating(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed at once: another was in its way."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _AGAIN


def is_taken(error: BaseException) -> bool:
    """Tell whether a key is there already."""
    return isinstance(error, asyncpg.UniqueViolationError)


def is_timeout(error: BaseException) -> bool:
    """Tell whether the database ended a statement that took too long."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate == QUERY_CANCELED


def is_away(error: BaseException) -> bool:
    """Tell whether the database cannot be reached, or serves no changes.

    An InterfaceError of the driver is a defect of ours: `database_session` makes a SessionLost of
    one that means a lost connection.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = str(error.sqlstate)
        return state.startswith(_AWAY) or state in (_READ_ONLY, _TOO_MANY)
    return isinstance(error, (OSError, TargetServerAttributeNotMatched))


def store_error(error: BaseException, doing: str) -> StoreError | None:
    """Return the error of the store that a caller gets; None: the cause is a defect of ours."""
    if isinstance(error, StoreError):
        return error
    if is_away(error):
        return StoreUnreachable(f"{doing}: the database cannot be reached: {cause_of(error)}")
    if not isinstance(error, asyncpg.PostgresError):
        return None
    if error.sqlstate == DISK_FULL:
        return StoreFull("the disk of the database is full")
    if error.sqlstate == QUERY_CANCELED:
        return SearchTooLong("the search took too long; name a domain or a time, to search less")
    return StoreError(f"{doing}: {cause_of(error)}")
