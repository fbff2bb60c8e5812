"""The stores are those of the store's own tests."""

from tests.store.conftest import (
    damage,
    directory,
    disk,
    loop_kind,
    pytest_pyfunc_call,
    runner,
    store,
)

__all__ = ["damage", "directory", "disk", "loop_kind", "pytest_pyfunc_call", "runner", "store"]
