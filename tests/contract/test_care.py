"""The care of a store that is not opened, or a clear word that there is none, and what to do."""

import asyncio
from pathlib import Path

import pytest

from restante.store.choice import open_store, store_care
from restante.store.interface import Store
from restante.store.postgres.postgres_care import PostgresCare
from restante.store.store_care import StoreCare
from restante.store.store_errors import CareUnsupported, StoreUnusable
from tests.contract.making import hold, hosted

# Stores without care: the alternatives to a check and to a salvage.
WITHOUT_CARE = {
    "memory": (
        r"cannot be checked .*; .*`restante queue export`",
        r"ends with its server; .*`restante queue export`",
    ),
    "postgres": (r"pg_amcheck", r"restored from a backup of PostgreSQL"),
}


@pytest.fixture
def care(request: pytest.FixtureRequest, implementation: str, directory: Path) -> StoreCare:
    """The care of the store."""
    if implementation == "postgres":
        from tests.postgres_cluster import ALONE  # noqa: PLC0415  it needs an extra

        return PostgresCare(request.getfixturevalue("postgres_url"), ALONE)
    return store_care("memory:" if implementation == "memory" else f"sqlite://{directory}")


async def test_a_store_in_use_is_checked_or_it_is_said_why_not(
    store: Store, implementation: str, care: StoreCare
) -> None:
    await hold(store, await hosted(store), 1, 2)
    if implementation in WITHOUT_CARE:
        with pytest.raises(CareUnsupported, match=WITHOUT_CARE[implementation][0]):
            care.check(_unheard)
        return
    report = care.check(_unheard)
    assert (report.is_sound, report.is_in_use, report.messages) == (True, True, 2)


async def test_a_store_that_was_closed_is_salvaged_or_it_is_said_why_not(
    store: Store, implementation: str, care: StoreCare, tmp_path: Path
) -> None:
    await hold(store, await hosted(store), 1, 2)
    if implementation in WITHOUT_CARE:
        with pytest.raises(CareUnsupported, match=WITHOUT_CARE[implementation][1]):
            care.salvage(tmp_path / "new", _unheard)
        return
    with pytest.raises(StoreUnusable, match="is in use"):
        care.salvage(tmp_path / "new", _unheard)
    await store.close()
    report = care.salvage(tmp_path / "new", _unheard)
    assert (report.is_whole, report.messages) == (True, 2)
    made = await open_store(f"sqlite://{tmp_path / 'new'}")
    assert sum(usage.held for usage in made.figures.usages().values()) == 2
    await made.close()


async def test_a_store_is_upgraded_or_it_is_said_when_that_happens(
    store: Store, implementation: str, care: StoreCare
) -> None:
    if implementation == "memory":
        with pytest.raises(CareUnsupported, match="its program's version"):
            care.plan_upgrade()
    else:
        plan = await asyncio.to_thread(care.plan_upgrade)
        assert (plan.before, plan.steps, plan.copy) == (plan.after, (), None)
    if implementation == "postgres":
        change = await asyncio.to_thread(care.upgrade)
        assert change.before == change.after
        assert store.figures.usages() == {}
        return
    with pytest.raises(CareUnsupported, match=r"start of its server|its program's version"):
        care.upgrade()


def test_a_url_of_no_store_is_named() -> None:
    with pytest.raises(StoreUnusable, match="the setting `store` is not the URL of a store; write"):
        store_care("mysql://x")


def _unheard(*_: int) -> None:
    """Progress that nobody reads."""
