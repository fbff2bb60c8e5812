"""Which part of a store a method belongs to, for tests that put another in its place."""

from typing import Any

from restante.store.interface import Store

PARTS = [name for name, port in vars(Store).items() if isinstance(port, property)]


def part_with(store: Store, method: str) -> Any:
    """Return the part of a store that has this method."""
    [found] = [part for name in PARTS if hasattr(part := getattr(store, name), method)]
    return found
