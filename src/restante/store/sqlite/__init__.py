"""The store of one process, on SQLite."""

from restante.store.sqlite.store import OnDamage, SqliteStore, open_sqlite

__all__ = ["OnDamage", "SqliteStore", "open_sqlite"]
