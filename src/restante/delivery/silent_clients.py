"""The clients whose connections a destination leaves without an answer, in one drain. Pure.

A destination that is told the client can keep one waiting: it is listed, or its name is looked up.
Such silence is a fact about the client. These clients come behind all others:

    the client                             the connection waits before others may have its place
    -------------------------------------  -----------------------------------------------------
    was not silent in this drain           CLIENT_SECONDS; then the client counts as silent
    is silent                              four times as long as it has waited before

    connections that wait for silent ones  at most
    -------------------------------------  -----------------------------------------------------
    while mail of others waits             a quarter of the destination's number; 0 of less than 4
    otherwise                              all but a quarter, and at least one

Any name can be said at EHLO, and a host of IPv6 mostly has a /64. So the memory is of addresses of
IPv4 and of networks of IPv6.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from restante.network.addresses import address_block
from restante.smtp.passed_client import PassedClient

CLIENT_SECONDS: Final = 7.0  # a screening server lets each new client wait for 6
_LONGER: Final = 4
_PART: Final = 4  # one of so many connections


class ClientWait(NamedTuple):
    """A connection that waits for an answer to its client."""

    client: PassedClient
    seconds: float


class SilentClients:
    """For how long each network has waited without an answer."""

    def __init__(self) -> None:
        self._waited: dict[int, float] = {}

    def __contains__(self, client: PassedClient | None) -> bool:
        return (
            client is not None
            and bool(self._waited)
            and address_block(client.address) in self._waited
        )

    def note(self, client: PassedClient, seconds: float = CLIENT_SECONDS) -> None:
        """Remember that a client got no answer for so long."""
        self._waited[address_block(client.address)] = max(self.waited(client), seconds)

    def forget(self, client: PassedClient) -> None:
        """Forget the network of a client that got an answer."""
        self._waited.pop(address_block(client.address), None)

    def waited(self, client: PassedClient | None) -> float:
        """Return for how long its network has waited without an answer, 0 for not at all."""
        return self._waited.get(address_block(client.address), 0.0) if client is not None else 0.0

    def patience(self, client: PassedClient) -> float:
        """Return how long a connection waits while mail of others has none."""
        return _LONGER * self.waited(client) or CLIENT_SECONDS

    def overdue(self, waits: Sequence[ClientWait], share: int) -> list[int]:
        """Return which waits for silent clients end now; the `share` longest may go on."""
        late = [
            (-wait.seconds, index)
            for index, wait in enumerate(waits)
            if wait.client in self and wait.seconds > CLIENT_SECONDS
        ]
        return [
            index
            for rank, (_, index) in enumerate(sorted(late))
            if rank >= share or waits[index].seconds > self.patience(waits[index].client)
        ]


def share_of_silent(most: int, *, others_wait: bool) -> int:
    """Return how many of the `most` connections may wait for silent clients."""
    quarter = most // _PART
    return quarter if others_wait else max(1, most - quarter)
