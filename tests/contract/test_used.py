"""Values that are good once: the first use counts, also of two at once."""

import asyncio

from restante.store.interface import Store

ONE, OTHER = b"\1" * 32, b"\2" * 32


async def test_a_value_is_used_once(store: Store) -> None:
    assert not await store.used.was_used(ONE)
    assert await store.used.use(ONE, 100.0)
    assert await store.used.was_used(ONE)
    assert not await store.used.use(ONE, 200.0)
    assert await store.used.use(OTHER, 100.0)


async def test_of_many_uses_at_once_one_is_first(store: Store) -> None:
    assert sum(await asyncio.gather(*(store.used.use(ONE, 100.0) for _ in range(20)))) == 1


async def test_values_are_forgotten_once_they_are_over(store: Store) -> None:
    for number in range(5):
        await store.used.use(bytes([number]) * 32, float(number))
    assert await store.used.trim_used(3.0, 2) == 2
    assert await store.used.trim_used(3.0, 2) == 1
    assert await store.used.trim_used(3.0, 2) == 0
    assert [await store.used.was_used(bytes([number]) * 32) for number in range(5)] == [
        *[False] * 3,
        *[True] * 2,
    ]
