"""The messages of a supply that can be taken now, by the client that each came from. Pure.

Where a destination is told the client, a connection carries the mail of one client only. So mail is
kept in a group for each client, and a connection takes from its own. The groups are in the order of
their first message, and a group keeps the order of its messages. Elsewhere there is one group, and
nobody looks where a message came from.

The groups of silent clients (silent_clients.py) and of refused ones (refused_clients.py) stand
behind all others. No connection is made for them while another group waits.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from restante.delivery.refused_clients import RefusedClients
from restante.delivery.silent_clients import ClientWait, SilentClients
from restante.mail.message import HeldMessage
from restante.network.addresses import address_block
from restante.smtp.passed_client import PassedClient, passed_client
from restante.smtp.window_size import FEWEST_MESSAGES

NO_CLIENT: Final = None  # the group of the mail that goes in our own name


class PendingMail:
    """Taken from the front, given back to either end."""

    def __init__(self) -> None:
        self.is_grouped = False  # by client; changed only while this is empty
        self._groups: dict[PassedClient | None, deque[HeldMessage]] = {}
        self._groups_behind: dict[PassedClient | None, deque[HeldMessage]] = {}
        self._count = 0
        self.count_behind = 0  # messages of silent and of refused clients
        self._silent = SilentClients()  # of the drain
        self._refused = RefusedClients()  # of the drain

    def __len__(self) -> int:
        return self._count

    def client_of(self, message: HeldMessage) -> PassedClient | None:
        """Return the client whose connection takes a message."""
        return passed_client(message.origin) if self.is_grouped else NO_CLIENT

    def append(self, message: HeldMessage, *, in_front: bool = False) -> None:
        """Put a message behind the others of its client, or in front of them."""
        client = self.client_of(message)
        is_behind = self._is_behind(client)
        groups = self._groups_behind if is_behind else self._groups
        group = groups.get(client)
        if group is None:
            group = groups[client] = deque()
        if in_front:
            group.appendleft(message)
        else:
            group.append(message)
        self._count += 1
        self.count_behind += is_behind

    def take(self, client: PassedClient | None) -> HeldMessage | None:
        """Return the next message of a client; None if there is none."""
        groups = self._groups if client in self._groups else self._groups_behind
        group = groups.get(client)
        if group is None:
            return None
        message = group.popleft()
        self._count -= 1
        self.count_behind -= groups is self._groups_behind
        if not group:
            del groups[client]
        return message

    def take_surplus(self) -> HeldMessage | None:
        """Return a message of the client that waited longest, was refused most, or has the most."""

        def claim(client: PassedClient | None) -> tuple[float, int, int]:
            waited, times = self._silent.waited(client), self._refused.times(client)
            return waited, times, len(self._groups_behind[client])

        return self.take(max(self._groups_behind, key=claim)) if self._groups_behind else None

    def is_silent(self, client: PassedClient | None) -> bool:
        """Return whether a client, or another of its network, got no answer in this drain."""
        return client in self._silent

    def overdue(self, waits: Sequence[ClientWait], share: int) -> list[int]:
        """Return which waits for silent clients end now (silent_clients.py)."""
        return self._silent.overdue(waits, share)

    def put_behind(self, client: PassedClient, seconds: float) -> None:
        """Put the mail of a client's network behind that of others: it got no answer so long."""
        self._silent.note(client, seconds)
        self._sort_again()

    def put_refused_behind(self, client: PassedClient) -> None:
        """Put the mail of a client's network behind that of others: it was refused."""
        self._refused.note(client)
        self._sort_again()

    def bring_back(self, client: PassedClient) -> None:
        """Let the mail of a client's network wait among the others: it got an answer.

        One that was refused too stays behind.
        """
        self._silent.forget(client)
        self._sort_again()

    def _is_behind(self, client: PassedClient | None) -> bool:
        return client in self._silent or client in self._refused

    def _sort_again(self) -> None:
        groups = self._groups_behind | self._groups
        behind = {one for one in groups if self._is_behind(one)}
        self._groups = {one: mail for one, mail in groups.items() if one not in behind}
        self._groups_behind = {one: mail for one, mail in groups.items() if one in behind}
        self.count_behind = sum(map(len, self._groups_behind.values()))

    def waiting_of(self, client: PassedClient | None) -> int:
        """Return how many messages of a client wait."""
        groups = self._groups if client in self._groups else self._groups_behind
        return len(groups.get(client, ()))

    def needy(self, served: Mapping[PassedClient | None, int]) -> PassedClient | None:
        """Return the client that the next connection is for.

        `served`: how many connections each client has. The first without any, first where its
        network has none either; otherwise the one with the most messages for each. A silent or
        refused one only if no other mail waits.
        """
        groups = self._groups or self._groups_behind
        busy = {address_block(client.address) for client in served if client is not None}
        first = None
        for client in groups:
            if not served.get(client):
                if client is None or address_block(client.address) not in busy:
                    return client
                first = first or client
        if first is not None:
            return first
        return max(groups, key=lambda one: self.waiting_of(one) / served[one], default=NO_CLIENT)

    def has_unserved(self, served: Mapping[PassedClient | None, int]) -> bool:
        """Return whether mail waits of a client that has no connection."""
        return any(not served.get(client) for client in [*self._groups, *self._groups_behind])

    def is_worth_another(self, served: Mapping[PassedClient | None, int]) -> bool:
        """Return whether some client's mail is worth a connection more than it has."""
        if not self._count:
            return False
        client = self.needy(served)
        if self._is_behind(client):
            return not served.get(client)
        return self.waiting_of(client) >= (FEWEST_MESSAGES * served.get(client, 0) or 1)

    def clear(self) -> None:
        """Forget them all."""
        self._groups.clear()
        self._groups_behind.clear()
        self._count = self.count_behind = 0

    def __iter__(self) -> Iterator[HeldMessage]:
        for group in (*self._groups.values(), *self._groups_behind.values()):
            yield from group
