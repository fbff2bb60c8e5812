"""The marks of modules for the stores that a server can have."""

import pytest

ON_BOTH_STORES = pytest.mark.parametrize(
    "store_kind", ["sqlite", "postgres"], indirect=True, scope="module"
)
# Tests of the files of a store, also where all others have PostgreSQL.
ON_SQLITE = pytest.mark.parametrize("store_kind", ["sqlite"], indirect=True, scope="module")
