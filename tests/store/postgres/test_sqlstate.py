"""Errors of the driver become errors of the store, as far as the state is known."""

import asyncpg
import pytest
from asyncpg.exceptions import TargetServerAttributeNotMatched
from asyncpg.exceptions._base import DataError

from restante.store.postgres import sqlstate
from restante.store.store_errors import (
    LeaseLost,
    SearchTooLong,
    StoreError,
    StoreFull,
    StoreUnreachable,
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DiskFullError("x"), StoreFull),
        (asyncpg.QueryCanceledError("x"), SearchTooLong),
        (asyncpg.AdminShutdownError("x"), StoreUnreachable),
        (asyncpg.CannotConnectNowError("x"), StoreUnreachable),
        (asyncpg.ReadOnlySQLTransactionError("x"), StoreUnreachable),
        (asyncpg.TooManyConnectionsError("x"), StoreUnreachable),
        (asyncpg.ConnectionDoesNotExistError("x"), StoreUnreachable),
        (TargetServerAttributeNotMatched("x"), StoreUnreachable),
        (ConnectionRefusedError("x"), StoreUnreachable),
        (asyncpg.UniqueViolationError("x"), StoreError),
        (asyncpg.CharacterNotInRepertoireError("x"), StoreError),
        (LeaseLost("x"), LeaseLost),
    ],
)
def test_an_error_has_its_meaning(error: Exception, expected: type[StoreError]) -> None:
    assert type(sqlstate.store_error(error, "writing")) is expected


def test_a_defect_of_ours_stays_as_it_is() -> None:
    assert sqlstate.store_error(KeyError("x"), "writing") is None
    assert sqlstate.store_error(asyncpg.InterfaceError("x"), "writing") is None
    assert sqlstate.store_error(DataError("x"), "writing") is None


def test_only_a_transaction_that_others_were_in_the_way_of_is_repeated() -> None:
    assert sqlstate.is_worth_repeating(asyncpg.SerializationError("x"))
    assert sqlstate.is_worth_repeating(asyncpg.DeadlockDetectedError("x"))
    assert not sqlstate.is_worth_repeating(asyncpg.UniqueViolationError("x"))
    assert not sqlstate.is_worth_repeating(ConnectionResetError("x"))
