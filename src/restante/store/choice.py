"""Which store a configuration means.

The only file that names concrete stores: the server and the command line ask here. Another kind of
store needs a StoreKind and one more branch of `open_store`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from restante.store.interface import Store
from restante.store.memory import MemoryStore
from restante.store.sqlite import BALLAST, check_directory, open_sqlite, salvage
from restante.store.store_care import SalvageReport, StoreReport
from restante.store.store_errors import StoreUnusable
from restante.store.store_url import StoreKind, StoreUrlUnusable, parse_store_url

_COMMANDS_PROOF = 0.05  # seconds


async def open_store(
    url: str,
    *,
    on_damage: Callable[[int, str, int], None] | None = None,
    is_server: bool = False,
) -> Store:
    """Open the store of a URL (store_url.py). Raises StoreUnusable.

    `on_damage` is told the number of each message whose content turns out damaged, how, and its
    domain's id. A server's store keeps a reserve on its disk, so that mail can still leave when the
    disk is full. Raises StoreDamaged if the database is damaged: a server checks more of it than a
    command, which must be quick.
    """
    try:
        place = parse_store_url(url)
    except StoreUrlUnusable as error:
        raise StoreUnusable(f"{url}: {error}") from None
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            if is_server:
                return await open_sqlite(place.directory, on_damage=on_damage, ballast=BALLAST)
            return await open_sqlite(
                place.directory, on_damage=on_damage, proof_seconds=_COMMANDS_PROOF
            )
        case StoreKind.MEMORY:
            return MemoryStore()
        case _:
            assert_never(place.kind)


def check_store(directory: Path, on_progress: Callable[[int, int], None]) -> StoreReport:
    """Look at everything in a store, also one that cannot be opened or that a server has open.

    Blocks.

    `on_progress` is told how many messages were looked at, and how many there are.
    """
    return check_directory(directory, on_progress)


def salvage_store(
    directory: Path, target: Path, on_progress: Callable[[int], None]
) -> SalvageReport:
    """Write what can be read of a damaged store into a new one; `target` is empty or not there.

    Blocks.

    `on_progress` is told how many messages were salvaged. Raises StoreUnusable where there is
    nothing to be read or a server has the store open, StoreError where the new one cannot be
    written.
    """
    return salvage(directory, target, on_progress)
