"""Fixtures for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.wire import Wire

# The same examples in each run, whatever else the machine does: exploring is the fuzzers' work (`make fuzz`).
settings.register_profile("restante", deadline=None, derandomize=True)
settings.load_profile("restante")


@pytest.fixture
def smtp() -> Iterator[Wire]:
    """A session under TLS, past EHLO, in a world of its own."""
    wire = Wire()
    yield wire
    wire.close()
