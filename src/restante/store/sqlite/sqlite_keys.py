"""Keys of sealed content, in the store on SQLite."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import apsw

from restante.store.key_store import SealedKeys
from restante.store.sqlite import key_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.rows import numbers_text


class SqliteKeys:
    """A `KeyStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def data_keys(self, domain_ids: Collection[int]) -> SealedKeys:
        """Return the keys of these domains, of those that have one."""
        return await self._core.read(partial(_of_domains, domain_ids=list(domain_ids)))

    async def data_keys_after(self, domain_id: int, limit: int) -> SealedKeys:
        """Return the keys of the next domains, in the order of their ids."""
        return await self._core.read(partial(next_data_keys, after=domain_id, limit=limit))

    async def keep_data_keys(self, new: Mapping[int, bytes]) -> None:
        """Keep new keys for domains that have none."""
        await self._core.write(partial(_keep, new=new))

    async def replace_data_keys(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace keys by the same ones, sealed again; return how many."""
        count: int = await self._core.write(partial(_replace, again=again))
        return count

    async def begin_sealing(self) -> None:
        """Programs that cannot open sealed content refuse the number of this schema."""


def _of_domains(connection: apsw.Connection, domain_ids: Sequence[int]) -> SealedKeys:
    numbers = numbers_text(domain_ids)
    found: dict[int, tuple[bytes, ...]] = {}
    for domain_id, sealed in fetch(connection, key_queries.OF_DOMAINS, (numbers, numbers)):
        copies = found.get(domain_id, ())
        if sealed not in copies:
            found[domain_id] = (*copies, sealed)
    return found


def next_data_keys(connection: apsw.Connection, after: int, limit: int) -> SealedKeys:
    """Read the keys of the next domains by id."""
    rows = fetch(connection, key_queries.NEXT, {"after": after, "limit": limit})
    found = _of_domains(connection, [domain_id for (domain_id,) in rows])
    return dict(sorted(found.items()))


def _keep(transaction: WriteTransaction, new: Mapping[int, bytes]) -> None:
    for domain_id, sealed in new.items():
        transaction.execute(key_queries.KEEP, {"domain_id": domain_id, "sealed": sealed})


def _replace(transaction: WriteTransaction, again: Mapping[int, tuple[bytes, bytes]]) -> int:
    count = 0
    for domain_id, (old, new) in again.items():
        bindings = {"domain_id": domain_id, "old": old, "new": new}
        transaction.execute(key_queries.REPLACE, bindings)
        count += transaction.connection.changes()
    return count
