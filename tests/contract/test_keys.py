"""Keys of sealed content: one for a domain, and erased with it."""

import asyncio

from restante.store.interface import Store
from tests.contract.making import NOTED, domain, hosted


async def other_domain(store: Store) -> int:
    """Host another domain."""
    return (await store.records.put_domain(domain("beta.example"), NOTED)).id


async def test_a_key_is_kept_and_never_replaced_by_another_new_one(store: Store) -> None:
    one, two = await hosted(store), await other_domain(store)
    await store.keys.keep_data_keys({one: b"first"})
    await store.keys.keep_data_keys({one: b"second", two: b"other"})
    assert await store.keys.data_keys([one, two, 99]) == {one: (b"first",), two: (b"other",)}


async def test_of_two_keys_at_once_one_stays(store: Store) -> None:
    one = await hosted(store)
    new = [bytes([number]) * 8 for number in range(10)]
    await asyncio.gather(*(store.keys.keep_data_keys({one: key}) for key in new))
    [kept] = (await store.keys.data_keys([one]))[one]
    assert kept in new


async def test_keys_are_walked_in_the_order_of_their_domains(store: Store) -> None:
    one, two = await hosted(store), await other_domain(store)
    await store.keys.keep_data_keys({two: b"other", one: b"first"})
    assert list(await store.keys.data_keys_after(0, 10)) == [one, two]
    assert await store.keys.data_keys_after(0, 1) == {one: (b"first",)}
    assert await store.keys.data_keys_after(one, 10) == {two: (b"other",)}
    assert not await store.keys.data_keys_after(two, 10)


async def test_a_key_goes_with_its_domain_and_comes_to_no_removed_one(store: Store) -> None:
    one = await hosted(store)
    await store.keys.keep_data_keys({one: b"first", 99: b"none"})
    assert not await store.keys.data_keys([99])
    await store.records.remove_domain(one, NOTED)
    assert not await store.keys.data_keys([one])
    assert not await store.keys.data_keys_after(0, 10)


async def test_a_key_is_replaced_only_if_it_is_as_given(store: Store) -> None:
    one, two = await hosted(store), await other_domain(store)
    await store.keys.keep_data_keys({one: b"first", two: b"other"})
    again = {one: (b"first", b"sealed anew"), two: (b"wrong", b"sealed anew")}
    assert await store.keys.replace_data_keys(again) == 1
    assert await store.keys.data_keys([one, two]) == {one: (b"sealed anew",), two: (b"other",)}


async def test_sealing_may_begin_where_nobody_else_is(store: Store) -> None:
    await store.keys.begin_sealing()
    await store.keys.begin_sealing()
