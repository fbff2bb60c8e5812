"""Fixtures of the tests of HTTP."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose name is short enough for a Unix socket in it."""
    with tempfile.TemporaryDirectory(prefix="rst") as name:
        yield Path(name)
