"""The messages of a supply that can be taken now, by the client that each came from. Pure.

Where a destination is told the client, a connection carries the mail of one client only. So mail is
kept in a group for each client, and a connection takes from its own. The groups are in the order of
their first message, and a group keeps the order of its messages. Elsewhere there is one group, and
nobody looks where a message came from.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from restante.mail.message import HeldMessage
from restante.smtp.passed_client import PassedClient, passed_client
from restante.smtp.window_size import FEWEST_MESSAGES

NO_CLIENT: Final = None  # the group of the mail that goes in our own name


class PendingMail:
    """Taken from the front, given back to either end."""

    def __init__(self) -> None:
        self.is_grouped = False  # by client; changed only while this is empty
        self._groups: dict[PassedClient | None, deque[HeldMessage]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def client_of(self, message: HeldMessage) -> PassedClient | None:
        """Return the client whose connection takes a message."""
        return passed_client(message.origin) if self.is_grouped else NO_CLIENT

    def append(self, message: HeldMessage, *, in_front: bool = False) -> None:
        """Put a message behind the others of its client, or in front of them."""
        client = self.client_of(message)
        group = self._groups.get(client)
        if group is None:
            group = self._groups[client] = deque()
        if in_front:
            group.appendleft(message)
        else:
            group.append(message)
        self._count += 1

    def take(self, client: PassedClient | None) -> HeldMessage | None:
        """Return the next message of a client; None if there is none."""
        group = self._groups.get(client)
        if group is None:
            return None
        message = group.popleft()
        self._count -= 1
        if not group:
            del self._groups[client]
        return message

    def waiting_of(self, client: PassedClient | None) -> int:
        """Return how many messages of a client wait."""
        return len(self._groups.get(client, ()))

    def needy(self, served: Mapping[PassedClient | None, int]) -> PassedClient | None:
        """Return the client that the next connection is for.

        `served`: how many connections each client has. The first without any, otherwise the one
        with the most messages for each.
        """
        for client in self._groups:
            if not served.get(client):
                return client
        return max(
            self._groups, key=lambda one: self.waiting_of(one) / served[one], default=NO_CLIENT
        )

    def is_worth_another(self, served: Mapping[PassedClient | None, int]) -> bool:
        """Return whether some client's mail is worth a connection more than it has."""
        if not self._groups:
            return False
        client = self.needy(served)
        return self.waiting_of(client) >= (FEWEST_MESSAGES * served.get(client, 0) or 1)

    def clear(self) -> None:
        """Forget them all."""
        self._groups.clear()
        self._count = 0

    def __iter__(self) -> Iterator[HeldMessage]:
        for group in self._groups.values():
            yield from group
