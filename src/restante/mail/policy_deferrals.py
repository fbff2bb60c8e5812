"""The drains in which a policy of the destination deferred a message. Pure.

A drain may try a message many times; it counts once. So the count is kept with a mark of the drain
that counted last. Two drains can have the same mark, one time in 16384: then one is not counted.
"""

import struct
import zlib
from typing import Final, NamedTuple

FEWEST_DRAINS: Final = 2  # after which mail is refused: greylisting passes before the second
MOST_DRAINS: Final = 255  # further ones are not counted
MARK_BITS: Final = 14


class PolicyDeferrals(NamedTuple):
    """In how many drains, and the mark of the last of them."""

    drains: int = 0
    mark: int = 0

    def in_drain(self, mark: int) -> "PolicyDeferrals":
        """Return this once the drain with a mark has met a deferral, too."""
        if self.drains and self.mark == mark:
            return self
        return PolicyDeferrals(min(self.drains + 1, MOST_DRAINS), mark)

    def is_before(self, mark: int) -> bool:
        """Return whether a drain before the one with this mark has met a deferral.

        It stays the same for as long as that drain runs: the order of its mail must not change.
        """
        return self.drains > 0 and self != PolicyDeferrals(1, mark)


NO_DEFERRALS: Final = PolicyDeferrals()


def drain_mark(requested_at: float) -> int:
    """Return the mark of a drain, by the Unix time of its request, which is its own."""
    return zlib.crc32(struct.pack("<d", requested_at)) >> 32 - MARK_BITS
