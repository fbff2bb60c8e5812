"""An account is told when a login takes mail from a network for the first time."""

import asyncio
import ipaddress
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from restante.release.turnaround_places import TurnaroundPlaces, network_place, place_digest
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreError
from restante.telemetry.events import TurnaroundFromNewPlace, TurnaroundGranted
from restante.tenancy.model import Account, Login
from tests.contract.store_parts import part_with
from tests.log_lines import Lines
from tests.wire import NOW, audit

LOGIN = Login("primary", "alpha", "hash", None, NOW, turnaround=True)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.5", "203.0.113.0/24"),
        ("203.0.113.250", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.5", "203.0.113.0/24"),
    ],
)
def test_a_place_is_a_network(address: str, place: str) -> None:
    assert network_place(ipaddress.ip_address(address)) == place


def test_a_login_that_is_made_again_has_no_places() -> None:
    place = "203.0.113.0/24"
    again = replace(LOGIN, created_at=NOW + 1)
    assert len({place_digest(one, place) for one in (LOGIN, again)}) == 2


async def told(*peers: str, store: MemoryStore | None = None) -> list[str]:
    """Grant turnarounds from these peers, and return the networks that were told."""
    store = store or MemoryStore()
    await store.records.put_account(Account("alpha", NOW), audit())
    await store.records.put_login(LOGIN, audit())
    directory, log = LiveDirectory(store.records), Lines()
    await directory.refresh()
    tasks: list[Coroutine[Any, Any, None]] = []
    places = TurnaroundPlaces(store.used, directory, log, lambda: NOW, tasks.append)
    for peer in peers:
        places.granted(
            TurnaroundGranted(account="alpha", login="primary", peer=peer, messages=1, release="x")
        )
    for task in tasks:
        await task
    return [line["block"] for line in log.of(TurnaroundFromNewPlace)]


def test_each_place_is_told_once() -> None:
    peers = ("203.0.113.5", "203.0.113.9", "198.51.100.1", "203.0.113.5")
    assert asyncio.run(told(*peers)) == ["203.0.113.0/24", "198.51.100.0/24"]


def test_where_the_store_fails_it_is_told_rather_than_not() -> None:
    store = MemoryStore()

    async def failing(_digest: bytes, _until: float) -> bool:
        raise StoreError("the disk is full")

    part_with(store, "use").use = failing
    assert asyncio.run(told("203.0.113.5", store=store)) == ["203.0.113.0/24"]
