"""The shared services of all drains, made once."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import random

from restante.background.clocks import Wait, wait_at_most
from restante.background.fair_slots import FairSlots
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.destination_rates import Rates
from restante.delivery.drain_experience import Experience
from restante.delivery.pipelining_backoff import PipeliningBackoff
from restante.delivery.tls_plan import TlsPlans
from restante.dsn.dsn_writer import DsnWriter
from restante.network.resolver import Resolver
from restante.store.content_store import ContentStore
from restante.store.figure_store import FigureStore
from restante.store.handover_store import HandoverStore
from restante.store.live_directory import LiveDirectory
from restante.telemetry.event_bus import Log
from restante.tenancy.model import HostedDomain
from restante.tenancy.recipients import Recipient
from restante.tenancy.sealed_secrets import Vault


def keeps_refused(_domain: HostedDomain) -> bool:
    """Leave refused mail to the customer's decision."""
    return False


Learn = Callable[[int, Sequence[Recipient]], Awaitable[None]]  # a domain's id; may raise StoreError


async def forget(_domain_id: int, _facts: Sequence[Recipient]) -> None:
    """Ignore the facts."""


@dataclass(slots=True)
class DeliveryContext:
    """Shared by all drains."""

    handover: HandoverStore
    content: ContentStore
    figures: FigureStore
    directory: LiveDirectory
    resolver: Resolver
    current_settings: Callable[[], DeliverySettings]  # those of the last reload
    log: Log
    now: Callable[[], float]  # Unix time: for stored and shown values
    monotonic: Callable[[], float]  # seconds: for every duration kept in memory
    hostname: str
    own_addresses: Sequence[tuple[str, int]]
    vault: Vault
    wait: Wait = wait_at_most
    jitter: Callable[[], float] = random  # from 0 up to 1
    learn: Learn = forget  # keeps the destinations' answers about mailboxes
    bounces_refused: Callable[[HostedDomain], bool] = keeps_refused
    takers: Collection[str] = ()  # the destinations that have ever taken mail
    tls_plans: TlsPlans = field(default_factory=TlsPlans)
    slots: FairSlots = field(init=False)
    backoff: PipeliningBackoff = field(init=False)
    experience: Experience = field(init=False)
    rates: Rates = field(init=False)
    dsn_writer: DsnWriter = field(init=False)

    @property
    def settings(self) -> DeliverySettings:
        """The operator's settings now; running attempts keep those they began with."""
        return self.current_settings()

    def __post_init__(self) -> None:
        self.slots = FairSlots(
            lambda: self.settings.drains_limit, lambda: self.settings.account_drains_limit
        )
        self.backoff = PipeliningBackoff(self.monotonic)
        self.experience = Experience(self.monotonic, self.takers)
        self.rates = Rates(self.monotonic)
        self.dsn_writer = DsnWriter(self.content, self.hostname, self.now, self.log)
