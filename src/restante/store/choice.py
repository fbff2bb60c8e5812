"""Which store a configuration means.

The only file that names concrete stores: the server and the command line ask here.
"""

from collections.abc import Callable
from pathlib import Path

from restante.store.interface import Store
from restante.store.sqlite import BALLAST, check_directory, open_sqlite, salvage
from restante.store.store_care import SalvageReport, StoreReport

_COMMANDS_PROOF = 0.05  # seconds


async def open_store(
    directory: Path,
    *,
    on_damage: Callable[[int, str, int], None] | None = None,
    is_server: bool = False,
) -> Store:
    """Open the embedded store in a directory. Raises StoreUnusable.

    `on_damage` is told the number of each message whose content turns out damaged, how, and its
    domain's id. A server's store keeps a reserve on its disk, so that mail can still leave when the
    disk is full. Raises StoreDamaged if the database is damaged: a server checks more of it than a
    command, which must be quick.
    """
    if is_server:
        return await open_sqlite(directory, on_damage=on_damage, ballast=BALLAST)
    return await open_sqlite(directory, on_damage=on_damage, proof_seconds=_COMMANDS_PROOF)


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
