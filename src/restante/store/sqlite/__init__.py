"""The store of one process, on SQLite. `sqlite_care` looks after it without opening it."""

from restante.store.sqlite.ballast import BALLAST
from restante.store.sqlite.sqlite_store import SqliteStore, open_sqlite

__all__ = ["BALLAST", "SqliteStore", "open_sqlite"]
