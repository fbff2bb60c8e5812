"""Requests to one server, and records that another one has changed."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.web.fresh_records import FreshRecords
from tests.away_store import AwayStore
from tests.contract.making import NOTED, account


async def _nothing(*_: object) -> Any:
    raise AssertionError


@pytest.mark.parametrize(("path", "is_seen"), [("/users", True), ("/static/x.css", False)])
def test_a_request_waits_for_the_changes_unless_it_is_for_a_file(path: str, is_seen: bool) -> None:
    async def story() -> None:
        store = MemoryStore()
        directory = LiveDirectory(store.records)
        await store.records.put_account(account("newest"), NOTED)
        seen: list[bool] = []

        async def app(*_: object) -> None:
            seen.append("newest" in directory.now.accounts)

        scope: MutableMapping[str, Any] = {"type": "http", "path": path}
        await FreshRecords(app, directory, "/static/")(scope, _nothing, _nothing)
        assert seen == [is_seen]

    asyncio.run(story())


def test_a_store_that_fails_does_not_keep_a_request_waiting() -> None:
    async def story() -> None:
        store = AwayStore()
        store.absence = "the network is down"
        answered: list[bool] = []

        async def app(*_: object) -> None:
            answered.append(True)

        scope: MutableMapping[str, Any] = {"type": "http", "path": "/"}
        directory = LiveDirectory(store.records)
        await FreshRecords(app, directory, "/static/")(scope, _nothing, _nothing)
        assert answered == [True]

    asyncio.run(story())
