"""All data keys are sealed under the first key; each is readable at every moment."""

import asyncio

import pytest

from restante.store.memory import MemoryStore
from restante.store.sealing import key_rotation
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.key_rotation import seal_keys_again
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import Vault, data_key_owner
from tests.contract.making import NOTED, domain, hosted

OLD, NEW = bytes(32), b"\1" * 32


def test_every_key_is_sealed_anew_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "_SLICE", 2)

    async def run() -> None:
        store = MemoryStore()
        ids = [await hosted(store)]
        ids += [
            (await store.records.put_domain(domain(f"d{number}.example"), NOTED)).id
            for number in range(4)
        ]
        await KeyRing(store.keys, Vault(OLD)).for_sealing(ids)
        opened = {
            one: Vault(OLD).open(key, data_key_owner(one))
            for one, key in store.state.data_keys.items()
        }
        assert await seal_keys_again(store.keys, Vault(NEW + OLD)) == 5
        assert await seal_keys_again(store.keys, Vault(NEW + OLD)) == 0
        assert opened == {
            one: Vault(NEW).open(key, data_key_owner(one))
            for one, key in store.state.data_keys.items()
        }

    asyncio.run(run())


def test_a_key_that_no_key_opens_stops_it() -> None:
    async def run() -> None:
        store = MemoryStore()
        one = await hosted(store)
        await KeyRing(store.keys, Vault(OLD)).for_sealing([one])
        with pytest.raises(StoreMismatched, match=f"content of domain {one}"):
            await seal_keys_again(store.keys, Vault(NEW))

    asyncio.run(run())
