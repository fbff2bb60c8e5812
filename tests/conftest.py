"""Fixtures for every test."""

from collections.abc import Iterator

import pytest

from tests.wire import Wire


@pytest.fixture
def smtp() -> Iterator[Wire]:
    """A session under TLS, past EHLO, in a world of its own."""
    wire = Wire()
    yield wire
    wire.close()
