"""The implementations that the contract is tested on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.store.choice import open_store
from restante.store.interface import Store
from tests.contract.running import directory, loop_kind, pytest_pyfunc_call, runner

__all__ = ["directory", "loop_kind", "pytest_pyfunc_call", "runner", "store"]


@pytest.fixture(params=["memory", "sqlite"])
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


@pytest.fixture
def store(implementation: str, runner: asyncio.Runner, directory: Path) -> Iterator[Store]:
    """An empty store."""
    url = "memory:" if implementation == "memory" else f"sqlite://{directory}"
    store = runner.run(open_store(url))
    yield store
    runner.run(store.close())
