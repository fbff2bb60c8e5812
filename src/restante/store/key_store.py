"""The port of a store for the keys under which held content is sealed.

Part of the contract in interface.py, whose rules hold here. A store keeps them sealed under the key
file, and never has it. It knows nothing about sealed content (`store/sealing`).
"""

from collections.abc import Collection, Mapping
from typing import Protocol

SealedKeys = Mapping[int, tuple[bytes, ...]]
"""Sealed data keys by domain id. The copies of one are the same, unless one is damaged."""


class KeyStore(Protocol):
    """A data key for each domain that has held sealed mail. It is erased with its domain."""

    async def data_keys(self, domain_ids: Collection[int]) -> SealedKeys:
        """Return the keys of these domains, of those that have one."""

    async def data_keys_after(self, domain_id: int, limit: int) -> SealedKeys:
        """Return the keys of the next domains, in the order of their ids."""

    async def keep_data_keys(self, new: Mapping[int, bytes]) -> None:
        """Keep new keys for domains that have none.

        Of two that are kept at once, one stays: ask for it. A domain that no longer exists gets
        none.
        """

    async def replace_data_keys(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace keys by the same ones, sealed again; return how many.

        Each is given as it was and as it will be. One that is not as given stays as it is.
        """

    async def begin_sealing(self) -> None:
        """Keep programs away that cannot open sealed content, from now on.

        Raises StoreMismatched where one of them is running.
        """
