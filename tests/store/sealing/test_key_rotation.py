"""All data keys and reports are sealed under the first key; each opens at every moment."""

import asyncio

import pytest

from restante.mail.delivery_report import Report
from restante.store.memory import MemoryStore
from restante.store.sealing import key_rotation
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.key_rotation import (
    seal_keys_again,
    seal_plain_reports,
    seal_reports_again,
)
from restante.store.sealing.report_seals import ReportSeals
from restante.store.store_errors import StoreError, StoreMismatched
from restante.tenancy.sealed_secrets import Vault, data_key_owner
from tests.contract.making import NOTED, domain, hosted, report

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


def with_reports() -> MemoryStore:
    """Keep five reports that are sealed under the old key, and a plain one."""
    store, seals = MemoryStore(), ReportSeals(Vault(OLD))
    store.state.reports.keep(seals.sealed(report(number, 1)) for number in range(1, 6))
    store.state.reports.keep([report(6, 1)])
    return store


def opened_reports(store: MemoryStore, keys: bytes) -> list[bytes]:
    seals = ReportSeals(Vault(keys))
    return [seals.opened(one).content for _, one in store.state.reports.all()]


ALL = [report(number, 1).content for number in range(1, 7)]


def test_every_sealed_report_is_sealed_anew_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "_REPORTS_AT_ONCE", 2)

    async def run() -> None:
        store = with_reports()
        assert await seal_reports_again(store.reports, Vault(NEW + OLD)) == 5
        assert await seal_reports_again(store.reports, Vault(NEW + OLD)) == 0
        assert opened_reports(store, NEW) == ALL

    asyncio.run(run())


def test_a_rotation_of_reports_that_died_half_way_is_completed_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_rotation, "_REPORTS_AT_ONCE", 2)

    async def run() -> None:
        store = with_reports()
        read, slices = store.reports.sealed_reports, 0

        async def dying(after: int, limit: int) -> list[Report]:
            nonlocal slices
            slices += 1
            if slices == 3:
                raise StoreError
            return await read(after, limit)

        with monkeypatch.context() as patched:
            patched.setattr(store.reports, "sealed_reports", dying)
            with pytest.raises(StoreError):
                await seal_reports_again(store.reports, Vault(NEW + OLD))
        assert opened_reports(store, NEW + OLD) == ALL
        assert await seal_reports_again(store.reports, Vault(NEW + OLD)) == 1
        assert opened_reports(store, NEW) == ALL

    asyncio.run(run())


def test_a_damaged_report_stays_and_one_that_no_key_opens_stops_it() -> None:
    async def run() -> None:
        store = with_reports()
        first = await store.reports.report(1)
        assert first is not None
        damaged = first.content[:-1] + bytes([first.content[-1] ^ 1])
        await store.reports.replace_report_contents({1: (first.content, damaged)})
        with pytest.raises(StoreMismatched, match="report 1 cannot be opened with this key file"):
            await seal_reports_again(store.reports, Vault(NEW))
        assert await seal_reports_again(store.reports, Vault(NEW + OLD)) == 4
        kept = await store.reports.report(1)
        assert kept is not None
        assert kept.content == damaged

    asyncio.run(run())


def test_reports_that_wait_in_clear_are_sealed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "_REPORTS_AT_ONCE", 2)

    async def run() -> None:
        store = with_reports()
        store.state.reports.keep(report(number, 1) for number in range(7, 10))
        assert await seal_plain_reports(store.reports, Vault(NEW + OLD)) == 4
        assert await seal_plain_reports(store.reports, Vault(NEW + OLD)) == 0
        kept = [one for _, one in store.state.reports.all()]
        assert [one.is_sealed for one in kept] == [True] * 9
        assert opened_reports(store, NEW + OLD) == [
            report(number, 1).content for number in range(1, 10)
        ]

    asyncio.run(run())
