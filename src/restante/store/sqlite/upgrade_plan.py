"""The steps that the next start of a server would take. Nothing is changed."""

from contextlib import closing
from pathlib import Path

import apsw

from restante.store.sqlite import care_queries, engine, migrations
from restante.store.sqlite.newer_schema import check_not_newer
from restante.store.sqlite.opening import DATABASE
from restante.store.sqlite.upgrade_copy import (
    copy_of,
    earlier_copies,
    room_for_copy,
    room_needed,
    unfinished_copy,
)
from restante.store.store_care import PlannedCopy, PlannedStep, SchemaChange, UpgradePlan


def schema_change_ahead(directory: Path) -> SchemaChange | None:
    """Return the change of schema that the next opening makes; None if it makes none. Blocks.

    A database that is new, or cannot be read, has none ahead: opening it says more.
    """
    path = directory / DATABASE
    if not path.exists():
        return None
    try:
        with closing(engine.open_reader(path)) as connection:
            before = int(connection.pragma("user_version"))
    except (OSError, apsw.Error):
        return None
    now = len(migrations.MIGRATIONS)
    return SchemaChange(before, now) if 0 < before < now else None


def plan_upgrade(path: Path) -> UpgradePlan:
    """Return the steps that are due for the database at a path, and the copy before them. Blocks.

    Raises StoreMismatched for a store of a newer program, OSError, apsw.Error.
    """
    with closing(engine.open_reader(path)) as connection:
        check_not_newer(connection, path.parent)
        before = int(connection.pragma("user_version"))
        [(messages, octets)] = engine.fetch(connection, care_queries.TOTALS)
    due = enumerate(migrations.MIGRATIONS[before:], before + 1)
    steps = tuple(PlannedStep(version, migrations.summary(step)) for version, step in due)
    copy = _copy(path, before) if steps else None
    return UpgradePlan(before, len(migrations.MIGRATIONS), steps, messages, octets, copy)


def _copy(path: Path, before: int) -> PlannedCopy:
    needed, free = room_needed(path), room_for_copy(path.parent)
    if made := unfinished_copy(path.parent, before):
        return PlannedCopy(str(made), needed, free, is_made=True)
    replaced = tuple(map(str, earlier_copies(path.parent, before)))
    return PlannedCopy(str(copy_of(path.parent, before)), needed, free, replaces=replaced)
