"""The port of a store for values that are good once, such as links into the portal.

Part of the contract in interface.py, whose rules hold here. A value itself is sealed and kept by
its holder (`admin/one_time_seals`). The store keeps the digests of those that were used, until
their time is over. So no stranger fills it, and a value is good once for all processes.
"""

from typing import Protocol


class UsedStore(Protocol):
    """Digests of values that were used. They are no records: nothing else depends on them."""

    async def use(self, digest: bytes, until: float) -> bool:
        """Note that a value was used; False if it was used before.

        `until` is the Unix time at which it is over in any case. Of two uses at once, one is first.
        """

    async def was_used(self, digest: bytes) -> bool:
        """Return whether a value was used."""

    async def trim_used(self, before: float, limit: int) -> int:
        """Forget values that were over before a time, at most `limit`; return how many."""
