"""The plan of an upgrade says what a start would do, and a start then does it."""

from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import migrations, open_sqlite, upgrade_copy
from restante.store.sqlite.upgrade_plan import plan_upgrade
from restante.store.store_care import PlannedCopy, PlannedStep
from restante.store.store_errors import StoreMismatched
from tests.contract.making import hold, hosted

pytestmark = pytest.mark.usefixtures("runner")
NEWEST = len(migrations.MIGRATIONS)
_MIB = 1024 * 1024


def another(connection: apsw.Connection) -> None:
    """Add another table."""
    connection.execute("CREATE TABLE another (x INTEGER) STRICT")


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


async def test_a_store_of_this_version_has_nothing_to_do(directory: Path) -> None:
    await (await open_sqlite(directory)).close()
    plan = plan_upgrade(directory / "restante.db")
    assert (plan.before, plan.after, plan.steps, plan.copy) == (NEWEST, NEWEST, (), None)


async def test_the_steps_and_the_copy_are_those_of_the_next_start(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_sqlite(directory)
    await hold(store, await hosted(store), 1, 2)
    await store.close()
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, another))
    monkeypatch.setattr(upgrade_copy, "room_for_copy", lambda _: 7 * _MIB)
    monkeypatch.setattr("restante.store.sqlite.upgrade_plan.room_for_copy", lambda _: 7 * _MIB)
    before = names(directory)
    octets = (directory / "restante.db").read_bytes()
    plan = plan_upgrade(directory / "restante.db")
    assert plan.steps == (PlannedStep(NEWEST + 1, "Add another table."),)
    assert (plan.before, plan.after, plan.messages) == (NEWEST, NEWEST + 1, 2)
    place = directory / f"before-upgrade-from-schema-{NEWEST}"
    assert plan.copy == PlannedCopy(str(place), 64 * _MIB + len(octets), 7 * _MIB)
    assert (directory / "restante.db").read_bytes() == octets
    assert names(directory) - before <= {"restante.db-wal", "restante.db-shm"}
    monkeypatch.setattr(upgrade_copy, "room_for_copy", lambda _: 70 * _MIB)
    await (await open_sqlite(directory)).close()
    assert (place / "restante.db").is_file()


async def test_a_store_of_a_newer_program_is_refused(directory: Path) -> None:
    await (await open_sqlite(directory)).close()
    connection = apsw.Connection(str(directory / "restante.db"))
    connection.pragma("user_version", NEWEST + 1)
    connection.close()
    with pytest.raises(StoreMismatched, match="install the version of Restante"):
        plan_upgrade(directory / "restante.db")
