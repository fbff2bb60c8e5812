"""The parts that all drains share, made once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from restante.background.clocks import Clocks
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.destination_rates import DestinationRates
from restante.delivery.dialer import Dialer
from restante.delivery.drain_experience import DrainExperience
from restante.delivery.pipelining_backoff import PipeliningBackoff
from restante.dsn.dsn_writer import DsnWriter
from restante.store.content_store import ContentStore
from restante.store.figure_store import FigureStore
from restante.store.handover_store import HandoverStore
from restante.store.live_directory import LiveDirectory
from restante.store.release_store import ReleaseStore
from restante.store.retention_store import RetentionStore
from restante.telemetry.event_bus import Log
from restante.tenancy.recipients import Recipient
from restante.tenancy.sealed_secrets import Vault

Learn = Callable[[int, Sequence[Recipient]], Awaitable[None]]  # a domain's id; may raise StoreError


async def ignore_recipients(_domain_id: int, _facts: Sequence[Recipient]) -> None:
    """Ignore the facts."""


@dataclass(frozen=True, slots=True)
class HeldMailPorts:
    """The ports of the store that a drain needs."""

    handover: HandoverStore
    content: ContentStore
    figures: FigureStore
    retention: RetentionStore  # for the marks of domains
    releases: ReleaseStore  # for the messages that they named


@dataclass(frozen=True, slots=True)
class DestinationMemory:
    """The parts that remember how destinations behave, for the next connection and drain."""

    backoff: PipeliningBackoff
    experience: DrainExperience
    rates: DestinationRates
    refused_pace: DestinationRates  # of connections a second, while clients are refused in a row


def new_destination_memory(
    monotonic: Callable[[], float], takers: Collection[str] = ()
) -> DestinationMemory:
    """Return an empty one, but for the `takers`: the destinations that have ever taken mail."""
    return DestinationMemory(
        PipeliningBackoff(monotonic),
        DrainExperience(monotonic, takers),
        DestinationRates(monotonic),
        DestinationRates(lambda: asyncio.get_running_loop().time(), seconds=1.0),
    )


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """Shared by all drains and callouts."""

    store: HeldMailPorts
    directory: LiveDirectory
    dialer: Dialer
    vault: Vault  # for the passwords with which we log in to destinations
    memory: DestinationMemory
    dsn_writer: DsnWriter
    log: Log
    clocks: Clocks
    learn: Learn = ignore_recipients  # keeps the destinations' answers about mailboxes

    @property
    def settings(self) -> DeliverySettings:
        """The operator's settings now; running attempts keep those they began with."""
        return self.dialer.settings
