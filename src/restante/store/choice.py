"""Which store a configuration means.

The only file that names concrete stores: the server and the command line ask here. Another kind of
store needs a StoreKind and one more branch of `open_store` and `store_care`.
"""

from pathlib import Path
from typing import assert_never

from restante.store.content_store import OnDamage
from restante.store.interface import Store
from restante.store.memory import MemoryCare, MemoryStore
from restante.store.sqlite import BALLAST, SqliteCare, open_sqlite
from restante.store.store_care import StoreCare
from restante.store.store_errors import StoreUnusable
from restante.store.store_url import StoreKind, StoreUrl, StoreUrlUnusable, parse_store_url

_COMMANDS_PROOF = 0.05  # seconds


async def open_store(
    url: str,
    *,
    on_damage: OnDamage | None = None,
    is_server: bool = False,
    control: Path | None = None,
) -> Store:
    """Open the store of a URL (store_url.py). Raises StoreUnusable.

    `on_damage` is told the number of each message whose content turns out damaged, how, and its
    domain's id. A server's store keeps a reserve on its disk, so that mail can still leave when the
    disk is full. Raises StoreDamaged if the database is damaged: a server checks more of it than a
    command, which must be quick. `control` is the server's socket, for others who find the store
    locked.
    """
    place = _place(url)
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            if is_server:
                return await open_sqlite(
                    place.directory, on_damage=on_damage, ballast=BALLAST, control=control
                )
            return await open_sqlite(
                place.directory, on_damage=on_damage, proof_seconds=_COMMANDS_PROOF
            )
        case StoreKind.MEMORY:
            return MemoryStore()
        case _:
            assert_never(place.kind)


def store_care(url: str) -> StoreCare:
    """Return the means to check and salvage the store of a URL without opening it.

    Raises StoreUnusable.
    """
    place = _place(url)
    match place.kind:
        case StoreKind.SQLITE:
            assert place.directory is not None
            return SqliteCare(place.directory)
        case StoreKind.MEMORY:
            return MemoryCare()
        case _:
            assert_never(place.kind)


def _place(url: str) -> StoreUrl:
    try:
        return parse_store_url(url)
    except StoreUrlUnusable as error:
        raise StoreUnusable(f"{url}: {error}") from None
