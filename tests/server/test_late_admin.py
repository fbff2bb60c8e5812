"""Administration is built once, at its first need, and its tasks begin then."""

import asyncio
from pathlib import Path

import pytest

from tests.server.test_reload import story


def test_a_server_builds_it_once_at_its_first_need(tmp_path: Path) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            admin = told.app.upkeep.admin
            assert not admin.is_built
            first, second = await asyncio.gather(admin.parts(), admin.parts())
            assert first is second
            assert admin.is_built

    asyncio.run(tell())


def test_its_tasks_run_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell() -> None:
        async with story(tmp_path) as told:
            begun = asyncio.Event()

            async def write() -> None:
                begun.set()

            parts = await told.app.upkeep.admin.parts()
            monkeypatch.setattr(parts.sessions, "write", write)
            await begun.wait()

    asyncio.run(tell())
