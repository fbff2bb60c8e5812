"""Before its schema changes a store is copied; where there is no room for that, nothing changes."""

import asyncio
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import SqliteStore, migrations, open_sqlite, upgrade_copy
from restante.store.sqlite.newer_schema import PREFIX
from restante.store.sqlite.upgrade_plan import plan_upgrade
from restante.store.store_errors import StoreUnusable
from tests.contract.making import all_held, content, hold, hosted, message, spooled

FORMER = len(migrations.MIGRATIONS)


@pytest.fixture
def older(runner: asyncio.Runner, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with mail, and this program has learned another step since."""

    async def fill() -> None:
        store = await open_sqlite(directory)
        domain_id = await hosted(store)
        await hold(store, domain_id, 1)
        await store.reception.hold([message(2, domain_id, file=await spooled(store, b"content"))])
        await store.close()

    runner.run(fill())
    step = (lambda connection: connection.execute("CREATE TABLE another (x INTEGER) STRICT"),)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, *step))
    return directory


def copies(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"{PREFIX}*"))


def version(directory: Path) -> int:
    connection = apsw.Connection(str(directory / "restante.db"))
    found = int(connection.pragma("user_version"))
    connection.close()
    return found


async def numbers_and_content(store: SqliteStore) -> list[tuple[int, bytes]]:
    [domain] = (await store.records.directory()).domains.values()
    held = await all_held(store, domain.id)
    return [
        (one.number, await content(store.content.read_file(one.file)) if one.file else b"")
        for one in held
    ]


async def test_a_store_is_copied_before_its_schema_changes(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_sqlite(older)
    assert await numbers_and_content(store) == [(1, b""), (2, b"content")]
    await store.close()
    [copy] = copies(older)
    assert copy.name == f"before-upgrade-from-schema-{FORMER}"
    assert (version(older), version(copy)) == (FORMER + 1, FORMER)
    monkeypatch.setattr(
        migrations, "MIGRATIONS", migrations.MIGRATIONS[:FORMER]
    )  # the earlier program
    again = await open_sqlite(copy)
    assert await numbers_and_content(again) == [(1, b""), (2, b"content")]
    await again.close()


async def test_it_is_copied_once(older: Path) -> None:
    await (await open_sqlite(older)).close()
    [copy] = copies(older)
    made_at = (copy / "restante.db").stat().st_mtime_ns
    await (await open_sqlite(older)).close()
    assert [(one / "restante.db").stat().st_mtime_ns for one in copies(older)] == [made_at]


async def test_a_new_store_has_nothing_to_copy(runner: asyncio.Runner, directory: Path) -> None:
    await (await open_sqlite(directory)).close()
    assert copies(directory) == []


async def test_without_room_for_a_copy_nothing_changes(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrade_copy, "room_for_copy", lambda _directory: 10 * 1024 * 1024)
    with pytest.raises(
        StoreUnusable, match=r"before the schema is upgraded: 64 MiB are needed and 10 are free"
    ):
        await open_sqlite(older)
    assert (version(older), copies(older)) == (FORMER, [])
    earlier = older / f"{PREFIX}1"
    earlier.mkdir()
    with pytest.raises(StoreUnusable, match=r"such as by removing \S*schema-1, and start"):
        await open_sqlite(older)
    assert copies(older) == [earlier]
    monkeypatch.undo()


async def test_a_copy_that_was_broken_off_is_made_again_and_an_earlier_one_goes(
    older: Path,
) -> None:
    broken = older / f"{PREFIX}{FORMER}"
    for left in (broken, older / f"{PREFIX}1"):
        (left / "content").mkdir(parents=True)
        (left / "restante.db.partial").write_bytes(b"half")
    kept = [older / f"{PREFIX}1-keep", older / f"{PREFIX}1.tar"]  # by an operator
    kept[0].mkdir()
    kept[1].touch()
    await (await open_sqlite(older)).close()
    assert copies(older) == sorted([broken, *kept])
    assert version(broken) == FORMER
    assert not (broken / "restante.db.partial").exists()


def killed(_connection: apsw.Connection) -> None:
    raise KeyboardInterrupt


def table(name: str) -> migrations.Migration:
    return lambda connection: connection.execute(f"CREATE TABLE {name} (x INTEGER) STRICT")


async def killed_after_one_step(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upgrade by two steps. The second one is ended before it commits."""
    known = (*migrations.MIGRATIONS, table("second"))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, killed))
    with pytest.raises(KeyboardInterrupt):
        await open_sqlite(older)
    assert version(older) == FORMER + 1
    monkeypatch.setattr(migrations, "MIGRATIONS", known)


async def test_an_upgrade_that_was_killed_half_way_goes_on_and_keeps_its_copy(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_after_one_step(older, monkeypatch)
    [copy] = copies(older)
    plan = plan_upgrade(older / "restante.db")
    assert plan.copy is not None
    assert (plan.copy.directory, plan.copy.is_made, plan.copy.replaces) == (str(copy), True, ())
    await (await open_sqlite(older)).close()
    assert version(older) == FORMER + 2
    assert copies(older) == [copy]
    monkeypatch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:FORMER])
    again = await open_sqlite(copy)  # by the program before the upgrade
    assert await numbers_and_content(again) == [(1, b""), (2, b"content")]
    await again.close()


async def test_a_copy_is_for_one_upgrade_and_the_next_one_makes_its_own(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_after_one_step(older, monkeypatch)
    newest = migrations.MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", newest[:-1])
    await (await open_sqlite(older)).close()  # a program whose schema the steps had reached
    monkeypatch.setattr(migrations, "MIGRATIONS", newest)
    plan = plan_upgrade(older / "restante.db")
    assert plan.copy is not None
    assert plan.copy.replaces == (str(older / f"{PREFIX}{FORMER}"),)
    await (await open_sqlite(older)).close()
    assert [copy.name for copy in copies(older)] == [f"{PREFIX}{FORMER + 1}"]
