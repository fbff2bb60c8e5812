"""Which store a configuration means. The only file that names concrete stores: the server and the command line ask here."""

from collections.abc import Callable
from pathlib import Path

from restante.store.interface import Store
from restante.store.sqlite import open_sqlite


async def open_store(directory: Path, *, on_damage: Callable[[int, str], None] | None = None) -> Store:
    """Open the embedded store in a directory. Raises StoreUnusable.

    `on_damage` is told the number of each message whose content turns out damaged, and how.
    """
    return await open_sqlite(directory, on_damage=on_damage)
