"""Requests to one server about records that the other has just changed."""

from collections.abc import MutableMapping
from typing import Any

from restante.store.live_directory import LiveDirectory
from restante.store.postgres import PostgresStore
from restante.web.fresh_records import FreshRecords
from tests.contract.making import NOTED, account


async def _nothing(*_: object) -> Any:
    raise AssertionError


async def test_a_request_sees_the_account_that_the_other_server_has_added(
    one: PostgresStore, other: PostgresStore
) -> None:
    directory = LiveDirectory(other.records)
    await directory.refresh()
    await one.records.put_account(account("newest"), NOTED)
    seen: list[bool] = []

    async def app(*_: object) -> None:
        seen.append("newest" in directory.now.accounts)

    scope: MutableMapping[str, Any] = {"type": "http", "path": "/users"}
    await FreshRecords(app, directory, "/static/")(scope, _nothing, _nothing)
    assert seen == [True]
