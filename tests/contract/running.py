"""Coroutine tests: a hook and a fixture that run tests and fixtures on one event loop."""

import asyncio
import inspect
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture
def loop_kind() -> str:
    """Which event loop to run on; parametrized where it matters."""
    return "asyncio"


@pytest.fixture
def runner(loop_kind: str) -> Iterator[asyncio.Runner]:
    """The loop of one test and its fixtures."""
    with asyncio.Runner(loop_factory=LOOPS[loop_kind]) as runner:
        yield runner


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory for a store, in memory if the system offers that, so that syncs cost nothing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name) / "store"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test on the loop of its `runner`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    runner = pyfuncitem.funcargs["runner"]
    assert isinstance(runner, asyncio.Runner), "a coroutine test has a fixture that takes `runner`"
    runner.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
