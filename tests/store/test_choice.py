"""The URL chooses the store."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from restante.store import choice
from restante.store.choice import open_store, store_care
from restante.store.memory import MemoryStore
from restante.store.postgres import PostgresCare
from restante.store.sqlite import SqliteStore
from restante.store.store_errors import StoreMismatched, StoreUnusable


def test_the_url_chooses_the_store(tmp_path: Path) -> None:
    async def story() -> None:
        embedded = await open_store(f"sqlite://{tmp_path / 'mail'}")
        assert isinstance(embedded, SqliteStore)
        await embedded.close()
        assert isinstance(await open_store("memory:"), MemoryStore)
        with pytest.raises(StoreUnusable, match="`store` is not the URL of a store; write"):
            await open_store("mysql://x")

    asyncio.run(story())


def test_a_database_needs_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "database_driver_is_installed", lambda: False)
    for opening in (open_store, store_care):
        with pytest.raises(StoreMismatched, match=r"pip install 'restante\[postgres\]'"):
            asyncio.run(awaited(opening, "postgresql://host/mail"))


def test_a_database_has_the_care_of_its_kind() -> None:
    assert isinstance(store_care("postgresql://host/mail"), PostgresCare)


async def awaited(opening: Callable[[str], Any], url: str) -> None:
    """Open what may be opened in a coroutine or at once."""
    opened = opening(url)
    if isawaitable(opened):
        await opened


def test_sqlite_is_opened_without_the_driver() -> None:
    code = "import sys, restante.store.choice; sys.exit('asyncpg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
