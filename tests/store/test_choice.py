"""The URL chooses the store."""

import asyncio
from pathlib import Path

import pytest

from restante.store.choice import open_store
from restante.store.memory import MemoryStore
from restante.store.sqlite import SqliteStore
from restante.store.store_errors import StoreUnusable


def test_the_url_chooses_the_store(tmp_path: Path) -> None:
    async def story() -> None:
        embedded = await open_store(f"sqlite://{tmp_path / 'mail'}")
        assert isinstance(embedded, SqliteStore)
        await embedded.close()
        assert isinstance(await open_store("memory:"), MemoryStore)
        with pytest.raises(StoreUnusable, match="mysql://x: is not the URL of a store; write"):
            await open_store("mysql://x")

    asyncio.run(story())
