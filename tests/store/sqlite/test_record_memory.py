"""After a change of one record, the others are the same values as before: none is made again."""

import asyncio
from dataclasses import replace
from pathlib import Path

from restante.store.sqlite.record_memory import Remembered
from restante.store.sqlite.sqlite_store import open_sqlite
from tests.contract.making import NOTED, account, domain, login


def test_a_row_that_is_as_it_was_makes_no_new_record() -> None:
    made: list[str] = []

    def make(row: tuple[object, ...]) -> str:
        made.append(str(row[0]))
        return f"record {row}"

    remembered: Remembered[str] = Remembered()
    first = remembered.records([("a", 1), ("b", 1)], make)
    second = remembered.records([("a", 1), ("b", 2), ("c", 1)], make)
    assert made == ["a", "b", "b", "c"]
    assert second == ["record ('a', 1)", "record ('b', 2)", "record ('c', 1)"]
    assert second[0] is first[0]
    assert remembered.records([], make) == []
    remembered.records([("a", 1)], make)
    assert made[-1] == "a", "what is gone is forgotten"


def test_the_store_makes_only_what_has_changed(tmp_path: Path) -> None:
    async def story() -> None:
        store = await open_sqlite(tmp_path / "store")
        await store.records.put_account(account(), NOTED)
        await store.records.put_login(login(), NOTED)
        kept = await store.records.put_domain(domain("kept.example"), NOTED)
        changed = await store.records.put_domain(domain("changed.example"), NOTED)
        before = await store.records.directory()
        await store.records.put_domain(replace(changed, created_at=7.0), NOTED)
        after = await store.records.directory()
        assert after.domains["kept.example"] is before.domains[kept.name]
        assert after.domains["changed.example"] == replace(changed, created_at=7.0)
        assert before.domains["changed.example"] == changed
        assert after.accounts["alpha"] is before.accounts["alpha"]
        assert after.logins["alice"] is before.logins["alice"]
        await store.close()

    asyncio.run(story())
