"""Waiting that an event or the time ends."""

import asyncio

import pytest

from restante.background.clocks import wait_at_most


def test_an_event_that_is_set_ends_the_wait_at_once() -> None:
    async def story() -> None:
        event = asyncio.Event()
        waiting = asyncio.create_task(wait_at_most(event, 3600.0))
        await asyncio.sleep(0)
        assert not waiting.done()
        event.set()
        await waiting

    asyncio.run(story())


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.001])
def test_the_time_ends_the_wait_without_an_error(seconds: float) -> None:
    event = asyncio.Event()
    asyncio.run(wait_at_most(event, seconds))
    assert not event.is_set()


def test_a_cancellation_is_no_end_of_the_time() -> None:
    async def story() -> None:
        waiting = asyncio.create_task(wait_at_most(asyncio.Event(), 3600.0))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(story())
