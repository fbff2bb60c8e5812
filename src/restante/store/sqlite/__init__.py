"""The store of one process, on SQLite."""

from restante.store.sqlite.ballast import BALLAST
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.sqlite.sqlite_store import SqliteStore, open_sqlite

__all__ = ["BALLAST", "SqliteCare", "SqliteStore", "open_sqlite"]
