"""How much strangers may ask of the `web` listeners. Pure: time is an argument.

A stranger is an address block from which no request had a principal so far: no token, and no
session. Each request of a stranger costs the event loop about a millisecond, and mail waits for it.
So strangers have a limit for each block, and one for all of them. The last limit stops guesses that
come from many addresses. Known blocks have no limit here.

A connection is closed before its handshake if its block has asked before, and either its share or
that of all strangers is used up. This costs a tenth of a request. A block that only asks for health
pages is not counted here, and always gets its answer. Limitation: a restart forgets who is known.
During a flood from many addresses, a person at a new place must try again.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

OF_BLOCK_A_SECOND: Final = 2.0
OF_BLOCK_AT_ONCE: Final = 60.0  # requests: the sign-in with its files takes seven
IN_ALL_A_SECOND: Final = 20.0
IN_ALL_AT_ONCE: Final = 200.0
MOST_KNOWN: Final = 20_000  # blocks
MOST_COUNTED: Final = 20_000  # blocks


@dataclass(slots=True)
class _Share:
    """A number of requests that refills evenly."""

    left: float
    since: float

    def refill(self, now: float, a_second: float, at_once: float) -> None:
        self.left = min(at_once, self.left + (now - self.since) * a_second)
        self.since = now


@dataclass(slots=True)
class StrangerLimits:
    """Counts them by block (`network/addresses.address_block`). Times are monotonic seconds."""

    _known: OrderedDict[int, None] = field(default_factory=OrderedDict)
    _blocks: OrderedDict[int, _Share] = field(default_factory=OrderedDict)
    _all: _Share | None = None

    def prove(self, block: int) -> None:
        """Note that a request from this block had a principal."""
        self._known[block] = None
        self._known.move_to_end(block)
        self._blocks.pop(block, None)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def allows(self, block: int, now: float) -> bool:
        """Count a request, and tell whether it may be served."""
        if block in self._known:
            return True
        share, share_of_all = self._share(block, now), self._share_of_all(now)
        if share.left < 1.0 or share_of_all.left < 1.0:
            return False
        share.left -= 1.0
        share_of_all.left -= 1.0
        return True

    def turns_away(self, block: int, now: float) -> bool:
        """Tell whether a new connection from this block is closed at once."""
        if block in self._known or block not in self._blocks:
            return False
        return min(self._share(block, now).left, self._share_of_all(now).left) < 1.0

    def _share_of_all(self, now: float) -> _Share:
        if self._all is None:
            self._all = _Share(IN_ALL_AT_ONCE, now)
        self._all.refill(now, IN_ALL_A_SECOND, IN_ALL_AT_ONCE)
        return self._all

    def _share(self, block: int, now: float) -> _Share:
        share = self._blocks.get(block)
        if share is None:
            share = self._blocks[block] = _Share(OF_BLOCK_AT_ONCE, now)
        share.refill(now, OF_BLOCK_A_SECOND, OF_BLOCK_AT_ONCE)
        self._blocks.move_to_end(block)
        if len(self._blocks) > MOST_COUNTED:
            self._blocks.popitem(last=False)
        return share
