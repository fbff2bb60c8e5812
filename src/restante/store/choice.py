"""Which store a configuration means.

The only file that names concrete stores: the server and the command line ask here. Another kind of
store needs a StoreKind and one more branch of `open_store` and `store_care`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from restante.phrases import INSTALL_DATABASE_DRIVER, NO_DATABASE_DRIVER
from restante.store.content_store import OnDamage
from restante.store.database_access import DatabaseAccess
from restante.store.database_driver import database_driver_is_installed
from restante.store.interface import Store
from restante.store.sqlite import BALLAST, open_sqlite
from restante.store.store_errors import CareUnsupported, StoreMismatched, StoreUnusable
from restante.store.store_url import StoreKind, StoreUrl, StoreUrlUnusable, parse_store_url

if TYPE_CHECKING:
    from restante.store.moving.move_end import MoveSource, MoveTarget
    from restante.store.store_care import SchemaChange, StoreCare

_COMMANDS_PROOF = 0.05  # seconds
_STRICT = DatabaseAccess()
_NOTHING_TO_MOVE = "a store in memory ends with its server; name a store on SQLite or PostgreSQL"


async def open_store(
    url: str,
    *,
    on_damage: OnDamage | None = None,
    is_server: bool = False,
    control: Path | None = None,
    access: DatabaseAccess = _STRICT,
) -> Store:
    """Open the store of a URL (store_url.py). Raises StoreUnusable.

    `on_damage` is told the number of each message whose content turns out damaged, how, and its
    domain's id. A server's store keeps a reserve on its disk, so that mail can still leave when the
    disk is full. Raises StoreDamaged if the database is damaged: a server checks more of it than a
    command, which must be quick. `control` is the server's socket, for others who find the store
    locked. `access` is for a database.
    """
    place = _place(url)
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            if is_server:
                return await open_sqlite(
                    place.directory, on_damage=on_damage, ballast=BALLAST, control=control
                )
            return await open_sqlite(
                place.directory, on_damage=on_damage, proof_seconds=_COMMANDS_PROOF
            )
        case StoreKind.POSTGRESQL:
            _check_driver()
            from restante.store.postgres import open_postgres  # noqa: PLC0415  an extra

            return await open_postgres(
                place.database, access, on_damage=on_damage, is_server=is_server
            )
        case StoreKind.MEMORY:
            from restante.store.memory import MemoryStore  # noqa: PLC0415  for tests

            return MemoryStore()
        case _:
            assert_never(place.kind)


def upgrade_ahead(url: str) -> "SchemaChange | None":
    """Return the change of schema that opening a store on SQLite makes; None if it makes none."""
    place = _place(url)
    if place.directory is None:
        return None
    from restante.store.sqlite import upgrade_plan  # noqa: PLC0415  for commands

    return upgrade_plan.schema_change_ahead(place.directory)


def store_care(url: str, access: DatabaseAccess = _STRICT) -> "StoreCare":
    """Return the means to check, salvage and upgrade the store of a URL without opening it.

    `access` is for a database. Raises StoreUnusable.
    """
    place = _place(url)
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            from restante.store.sqlite.sqlite_care import SqliteCare  # noqa: PLC0415  for commands

            return SqliteCare(place.directory)
        case StoreKind.POSTGRESQL:
            _check_driver()
            from restante.store.postgres import PostgresCare  # noqa: PLC0415  an extra

            return PostgresCare(place.database, access)
        case StoreKind.MEMORY:
            from restante.store.memory import MemoryCare  # noqa: PLC0415  for tests

            return MemoryCare()
        case _:
            assert_never(place.kind)


async def open_move_source(
    url: str, access: DatabaseAccess = _STRICT, *, is_read: bool = True
) -> "MoveSource":
    """Open the store of a URL to move everything out of it. Raises StoreError.

    Unless `is_read`, only its mark can be read and changed.
    """
    place = _place(url)
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            from restante.store.sqlite import sqlite_move  # noqa: PLC0415  for commands

            return await sqlite_move.open_source(place.directory, is_read=is_read)
        case StoreKind.POSTGRESQL:
            _check_driver()
            from restante.store.postgres import postgres_move  # noqa: PLC0415  an extra

            return await postgres_move.open_source(place.database, access)
        case StoreKind.MEMORY:
            raise CareUnsupported(_NOTHING_TO_MOVE)
        case _:
            assert_never(place.kind)


async def open_move_target(url: str, access: DatabaseAccess = _STRICT) -> "MoveTarget":
    """Open the place of a URL to move everything into it. Raises StoreError."""
    place = _place(url)
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            from restante.store.sqlite import sqlite_move  # noqa: PLC0415  for commands

            return sqlite_move.open_target(place.directory)
        case StoreKind.POSTGRESQL:
            _check_driver()
            from restante.store.postgres import postgres_move  # noqa: PLC0415  an extra

            return await postgres_move.open_target(place.database, access)
        case StoreKind.MEMORY:
            raise CareUnsupported(_NOTHING_TO_MOVE)
        case _:
            assert_never(place.kind)


def _check_driver() -> None:
    if not database_driver_is_installed():
        raise StoreMismatched(f"{NO_DATABASE_DRIVER}; {INSTALL_DATABASE_DRIVER}")


def _place(url: str) -> StoreUrl:
    try:
        return parse_store_url(url)
    except StoreUrlUnusable as error:
        raise StoreUnusable(f"the setting `store` {error}") from None
