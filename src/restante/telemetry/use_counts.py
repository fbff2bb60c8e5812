"""Counts of mail by the domains it is for, until somebody takes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from restante.telemetry.events import MailHeld, MessageDelivered

MOST_SETS: Final = 10_000  # of domains that one message is for, told apart


@dataclass(frozen=True, slots=True)
class UseCounts:
    """The mail since the last time."""

    received: Mapping[tuple[str, ...], tuple[int, int]]  # by domains: messages, octets
    delivered: Mapping[str, int]  # messages by domain


class UseInbox:
    """Counts until `take`. Belongs to the event loop; thousands of events a second reach it."""

    def __init__(self) -> None:
        self._received: dict[tuple[str, ...], list[int]] = {}
        self._delivered: dict[str, int] = {}

    def hear_held(self, event: MailHeld) -> None:
        """Count a message that came in."""
        if event.domains in self._received or len(self._received) < MOST_SETS:
            self._count(event.domains, event.octets)
            return
        # Senders choose the sets. No set of theirs may keep a domain from being counted.
        for domain in event.domains:
            self._count((domain,), event.octets)

    def _count(self, domains: tuple[str, ...], octets: int) -> None:
        sums = self._received.get(domains)
        if sums is None:
            sums = self._received[domains] = [0, 0]
        sums[0] += 1
        sums[1] += octets

    def hear_delivered(self, event: MessageDelivered) -> None:
        """Count a message that left."""
        self._delivered[event.domain] = self._delivered.get(event.domain, 0) + 1

    def take(self) -> UseCounts:
        """Return the counts since the last time, and forget them."""
        received = {
            domains: (messages, octets) for domains, (messages, octets) in self._received.items()
        }
        taken = UseCounts(received, self._delivered)
        self._received, self._delivered = {}, {}
        return taken
