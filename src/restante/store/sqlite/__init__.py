"""The store of one process, on SQLite."""

from restante.store.sqlite.ballast import BALLAST
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.sqlite.sqlite_store import SqliteStore, open_sqlite
from restante.store.sqlite.store_core import OnDamage

__all__ = ["BALLAST", "OnDamage", "SqliteCare", "SqliteStore", "open_sqlite"]
