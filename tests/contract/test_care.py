"""The care of a store that is not opened, or a clear word that there is none, and what to do."""

from pathlib import Path

import pytest

from restante.store.choice import open_store, store_care
from restante.store.interface import Store
from restante.store.store_errors import CareUnsupported, StoreUnusable
from tests.contract.making import hold, hosted


@pytest.fixture
def url(implementation: str, directory: Path) -> str:
    """The URL of the store."""
    return "memory:" if implementation == "memory" else f"sqlite://{directory}"


async def test_a_store_in_use_is_checked_or_it_is_said_why_not(
    store: Store, implementation: str, url: str
) -> None:
    await hold(store, await hosted(store), 1, 2)
    if implementation == "memory":
        with pytest.raises(
            CareUnsupported, match=r"cannot be checked .*; .*`restante queue export`"
        ):
            store_care(url).check(_unheard)
        return
    report = store_care(url).check(_unheard)
    assert (report.is_sound, report.is_in_use, report.messages) == (True, True, 2)


async def test_a_store_that_was_closed_is_salvaged_or_it_is_said_why_not(
    store: Store, implementation: str, url: str, tmp_path: Path
) -> None:
    await hold(store, await hosted(store), 1, 2)
    if implementation == "memory":
        with pytest.raises(
            CareUnsupported, match=r"ends with its server; .*`restante queue export`"
        ):
            store_care(url).salvage(tmp_path / "new", _unheard)
        return
    with pytest.raises(StoreUnusable, match="is in use"):
        store_care(url).salvage(tmp_path / "new", _unheard)
    await store.close()
    report = store_care(url).salvage(tmp_path / "new", _unheard)
    assert (report.is_whole, report.messages) == (True, 2)
    made = await open_store(f"sqlite://{tmp_path / 'new'}")
    assert sum(usage.held for usage in made.figures.usages().values()) == 2
    await made.close()


def test_a_url_of_no_store_is_named() -> None:
    with pytest.raises(StoreUnusable, match="mysql://x: is not the URL of a store; write"):
        store_care("mysql://x")


def _unheard(*_: int) -> None:
    """Progress that nobody reads."""
