"""The mark of modules whose tests run on both stores that a server can have."""

import pytest

ON_BOTH_STORES = pytest.mark.parametrize(
    "store_kind", ["sqlite", "postgres"], indirect=True, scope="module"
)
