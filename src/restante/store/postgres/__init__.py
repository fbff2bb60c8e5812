"""The store that several processes share, on PostgreSQL."""

from restante.store.postgres.postgres_care import PostgresCare
from restante.store.postgres.postgres_store import PostgresStore, open_postgres

__all__ = ["PostgresCare", "PostgresStore", "open_postgres"]
