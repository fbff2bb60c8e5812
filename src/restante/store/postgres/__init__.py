"""The store that several processes share, on PostgreSQL."""

from restante.store.postgres.postgres_store import PostgresStore, open_postgres

__all__ = ["PostgresStore", "open_postgres"]
