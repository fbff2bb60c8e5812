"""Each domain gets one key, which only the right key file opens."""

import asyncio

import pytest

from restante.store.memory import MemoryStore
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.sealed_form import open_head, seal_head
from restante.store.store_errors import StoreError, StoreMismatched
from restante.tenancy.sealed_secrets import Vault
from tests.contract.making import NOTED, domain, hosted

VAULT, OTHER = Vault(bytes(32)), Vault(b"\1" * 32)


def test_a_key_is_made_once_and_found_by_others() -> None:
    async def run() -> None:
        store = MemoryStore()
        one = await hosted(store)
        two = (await store.records.put_domain(domain("beta.example"), NOTED)).id
        made = await KeyRing(store.keys, VAULT).for_sealing([one, two])
        found = await KeyRing(store.keys, VAULT).for_opening([one, two])
        for id_ in (one, two):
            sealed = seal_head(made[id_], 1, b"head", salt=b"salt")
            assert open_head(found[id_], 1, sealed, has_file=False) == (b"head", b"")
        assert set(store.state.data_keys) == {one, two}

    asyncio.run(run())


def test_of_two_rings_that_make_a_key_at_once_one_wins_for_both() -> None:
    async def run() -> None:
        store = MemoryStore()
        one = await hosted(store)
        rings = [KeyRing(store.keys, VAULT) for _ in range(2)]
        first, second = await asyncio.gather(*(ring.for_sealing([one]) for ring in rings))
        sealed = seal_head(first[one], 1, b"head", salt=b"salt")
        assert open_head(second[one], 1, sealed, has_file=False) == (b"head", b"")

    asyncio.run(run())


def test_a_removed_domain_gets_a_key_that_nobody_keeps() -> None:
    async def run() -> None:
        store = MemoryStore()
        ring = KeyRing(store.keys, VAULT)
        assert 99 in await ring.for_sealing([99])
        assert 99 not in await ring.for_opening([99])
        assert not store.state.data_keys

    asyncio.run(run())


def test_another_key_file_is_refused() -> None:
    async def run() -> None:
        store = MemoryStore()
        one = await hosted(store)
        await KeyRing(store.keys, OTHER).check()  # no mail is sealed yet
        await KeyRing(store.keys, VAULT).for_sealing([one])
        await KeyRing(store.keys, VAULT).check()
        with pytest.raises(StoreMismatched, match="sealed under another key file"):
            await KeyRing(store.keys, OTHER).check()
        with pytest.raises(StoreError, match=f"the data key of domain {one}"):
            await KeyRing(store.keys, OTHER).for_sealing([one])

    asyncio.run(run())
