"""The pause before the greeting of a new client: programs that only send spam do not wait.

A client that has waited once is known for a day, and is greeted at once. The known clients have a
bound: the newest are kept.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from restante.network.addresses import address_block
from restante.tenancy.model import IpAddress

MOST_KNOWN: Final = 50_000
KNOWN_SECONDS: Final = 86400.0


class GreetingPause:
    """Decides who waits."""

    def __init__(
        self,
        seconds: Callable[[], float],
        is_exempt: Callable[[IpAddress], bool],
        monotonic: Callable[[], float],
    ) -> None:
        """`monotonic` is in seconds."""
        self._seconds = seconds
        self._is_exempt = is_exempt
        self._monotonic = monotonic
        self._known: OrderedDict[int, float] = OrderedDict()  # until when, by address block

    def seconds_for(self, address: IpAddress) -> float:
        """Return for how long a client at this address waits; 0 if it does not."""
        seconds = self._seconds()
        if not seconds or self._is_exempt(address):
            return 0.0
        until = self._known.get(address_block(address), float("-inf"))
        return 0.0 if self._monotonic() < until else seconds

    def has_waited(self, address: IpAddress) -> None:
        """Remember a client that has waited for its greeting."""
        block = address_block(address)
        self._known[block] = self._monotonic() + KNOWN_SECONDS
        self._known.move_to_end(block)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
