"""The store of one process, on SQLite."""

from restante.store.sqlite.ballast import BALLAST
from restante.store.sqlite.salvage import salvage
from restante.store.sqlite.sqlite_store import SqliteStore, open_sqlite
from restante.store.sqlite.store_check import check_directory
from restante.store.sqlite.store_core import OnDamage

__all__ = ["BALLAST", "OnDamage", "SqliteStore", "check_directory", "open_sqlite", "salvage"]
