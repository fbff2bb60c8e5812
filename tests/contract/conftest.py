"""The implementations that the contract is tested on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.store.interface import Store
from restante.store.memory import MemoryStore
from restante.store.sqlite import open_sqlite
from tests.contract.running import directory, loop_kind, pytest_pyfunc_call, runner

__all__ = ["directory", "loop_kind", "pytest_pyfunc_call", "runner", "store"]


@pytest.fixture(params=["memory", "sqlite"])
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


@pytest.fixture
def store(implementation: str, runner: asyncio.Runner, directory: Path) -> Iterator[Store]:
    """An empty store."""
    store: Store = (
        MemoryStore() if implementation == "memory" else runner.run(open_sqlite(directory))
    )
    yield store
    runner.run(store.close())
