"""The proxy that makes distance, at the ends of connections."""

import asyncio
from typing import Any

import pytest

from bench.delay_proxy import Way
from tests.delivery.swift_loop import run_swiftly


class Exit:
    """A transport that notes what is written, and refuses it once it is closed."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def carried(*pieces: bytes | None, leaves_after: int | None = None) -> Exit:
    """Send pieces over a way; the far end leaves while they travel, after so many arrived."""
    exit_ = Exit()

    async def main() -> None:
        way = Way(0.001)
        given: Any = exit_
        way.open(given)
        for place, piece in enumerate(pieces):
            if place == leaves_after:
                exit_.close()
            way.put(piece)
            await asyncio.sleep(0)
        await asyncio.sleep(1)
        assert not way._travelling

    run_swiftly(main())
    return exit_


def test_octets_arrive_in_order_and_the_end_after_them() -> None:
    arrived = carried(b"one ", b"two ", b"three", None)
    assert b"".join(arrived.written) == b"one two three"
    assert arrived.is_closed


@pytest.mark.parametrize("leaves_after", [1, 2, 3])
def test_nothing_is_written_to_an_end_that_has_left(leaves_after: int) -> None:
    arrived = carried(b"one ", b"two ", b"three", None, leaves_after=leaves_after)
    assert b"three" not in b"".join(arrived.written)
