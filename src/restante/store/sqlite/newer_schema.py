"""A store that a newer program has upgraded: the version that it needs, and the way back."""

from pathlib import Path

import apsw

from restante import __version__
from restante.store.sqlite import engine, migrations
from restante.store.store_errors import StoreMismatched
from restante.store.stored_form.newer_program import newer_program

PREFIX = "before-upgrade-from-schema-"
_PROGRAM = "SELECT program FROM schema_program WHERE schema = ?"


def check_not_newer(connection: apsw.Connection, directory: Path) -> None:
    """Raise StoreMismatched where a newer program has upgraded a store. It stays as it is."""
    if problem := newer_schema(connection, directory):
        raise StoreMismatched(problem)


def newer_schema(connection: apsw.Connection, directory: Path) -> str:
    """Return thing, cause and remedy for a store with a newer schema; "" where there is none."""
    found, known = int(connection.pragma("user_version")), len(migrations.MIGRATIONS)
    if found <= known:
        return ""
    copy = _usable_copy(directory, known)
    way_back = (
        f"go back to the copy before the upgrade, {copy}, which lacks later mail"
        if copy
        else "restore a backup made before the upgrade"
    )
    return (
        f"{directory}: the store has schema {found}, and this version of Restante ({__version__})"
        f" knows {known}; install {newer_program(_program(connection, found))}, or {way_back}"
    )


def _usable_copy(directory: Path, known: int) -> Path | None:
    """Return the newest copy before an upgrade that this program can open.

    There can be two: an upgrade that was ended half-way has not removed the earlier one.
    """
    for schema in range(known, 0, -1):
        copy = directory / f"{PREFIX}{schema}"
        if (copy / "restante.db").is_file():
            return copy
    return None


def _program(connection: apsw.Connection, schema: int) -> str:
    """Return the version of the program that made a schema, as far as it can be known here."""
    try:
        for (program,) in engine.fetch(connection, _PROGRAM, (schema,)):
            return str(program)
    except apsw.SQLError:  # the newer program has changed the table
        pass
    return ""
