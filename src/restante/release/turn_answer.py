"""The answer to ATRN, and the turnaround that it grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from restante.network.wire import Wire
from restante.release.release_outcome import ReleaseOutcome
from restante.tenancy.model import HostedDomain, IpAddress, Login


class GrantedTurnaround(Protocol):
    """Holds the leases of its domains, and waits for the wire (reception/turnaround.py)."""

    def begin(self, wire: Wire) -> None:
        """Take the wire, and deliver over it."""

    def stop(self) -> None:
        """Begin no more messages, and end soon: the server stops."""

    def call_off(self, reason: str) -> None:
        """End it before it has begun. Nothing was sent."""


class TurnaroundStarter(Protocol):
    """Prepares turnarounds (delivery/account_turnarounds.py)."""

    async def turn(
        self, domains: Sequence[HostedDomain], login: Login, address: IpAddress, release: int
    ) -> GrantedTurnaround:
        """Take the leases of these domains.

        Raises TurnaroundBusy if the account has another one, CannotStart, or StoreError.
        """


@dataclass(frozen=True, slots=True)
class TurnAnswer:
    """The outcome, and the turnaround if it is granted."""

    outcome: ReleaseOutcome
    turnaround: GrantedTurnaround | None = None
