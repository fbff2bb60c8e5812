"""The full store of the bench has the present schema, and its figures are right."""

import asyncio
from pathlib import Path

import pytest

from bench import full_store
from restante.queue.history import HistoryFilter
from restante.store.sqlite import open_sqlite
from tests.contract.making import NOTED, domain, hold, hosted, login

FEW = 7


async def _begun(directory: Path) -> None:
    store = await open_sqlite(directory)
    first = await hosted(store, full_store.FIRST)
    await store.records.put_domain(domain(full_store.LISTED), NOTED)
    await store.records.put_login(login(), NOTED)
    await hold(store, first, 1)
    await store.close()


async def _figures(directory: Path) -> tuple[int, int, int, int]:
    store = await open_sqlite(directory)
    usages = store.figures.usages()
    past = await store.handover.past_drains()
    history = await store.history.history(HistoryFilter())
    await store.close()
    messages = sum(usage.messages for usage in usages.values())
    return len(usages), messages, len(past), len(history)


def test_a_full_store_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENTRIES", "REPORTS", "NOTICES", "MAILBOXES"):
        monkeypatch.setattr(full_store, name, FEW)
    asyncio.run(_begun(tmp_path))
    full_store.fill(full_store.database_in(tmp_path), domains=20, messages=50)
    # Mail is held for the twenty domains and the first, and each domain has had a drain.
    assert asyncio.run(_figures(tmp_path)) == (21, 51, 22, FEW)
