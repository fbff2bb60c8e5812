"""What every administrative function works on: the records, the keys, and the server if one is running."""

import pwd
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from restante.network.resolver import Resolver
from restante.notices.transports import Sender
from restante.queue.presence import Sighting
from restante.reception.intake import Receipt, ReceivedMail
from restante.reception.quota_reservations import QuotaReservations
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.telemetry.log import Log
from restante.telemetry.metrics import Exposition
from restante.tenancy.model import Destination
from restante.tenancy.secrets import Vault


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """What became of the operator's request to release one node."""

    node: str
    code: int  # the reply code an asker would have got
    text: str
    pending: int  # messages
    reason: str


@dataclass(frozen=True, slots=True)
class RunningDrain:
    """One drain as `status` shows it."""

    domain: str
    destination: str
    started_at: float
    delivered: int
    refused: int
    deferred: int
    connections: int  # open now
    state: str  # "delivering", "waiting to retry", …
    next_attempt_at: float | None
    last_error: str
    hindrance: str = ""  # what that is a sign of: "rate limit", "policy"


@dataclass(frozen=True, slots=True)
class OpenListener:
    """One listener as `status` shows it."""

    service: str
    address: str  # host:port as bound
    tls_minimum: str
    sessions: int  # open now


@dataclass(frozen=True, slots=True)
class ConfigurationState:
    """Which configuration runs, and what came of the last attempt to reload. Times are Unix time."""

    read_at: float  # the configuration that runs was read then
    reload_failed_at: float | None = (
        None  # of the last reload, if that failed; nothing has changed by it
    )
    reload_failure: str = ""  # why
    restart_for: tuple[str, ...] = ()  # settings and listeners of the file that wait for a restart

    def failed(self, at: float, why: str) -> "ConfigurationState":
        """Return the state after a reload that failed."""
        return replace(self, reload_failed_at=at, reload_failure=why)


@dataclass(frozen=True, slots=True)
class ScrubFacts:
    """How the daily look at all of the store stands."""

    ended_at: float | None = (
        None  # Unix time of the last that came to its end; None: none since the start
    )
    is_under_way: bool = False
    messages: int = 0  # that the last one has looked at so far


@dataclass(frozen=True, slots=True)
class Vitals:
    """What of the running server decides whether it can do its work."""

    is_room_short: bool
    certificate_expires_at: float  # Unix time


class Server(Protocol):
    """The parts of the running server that an administrator may touch."""

    async def release(self, node: str, actor: str, reason: str) -> ReleaseAnswer:
        """The operator's ETRN: no host or account binding, but the same door, destination and audit trail."""

    def drains(self) -> Iterator[RunningDrain]:
        """Yield the drains that run or wait to retry, in the order in which they started; each as it is at its turn."""

    def is_draining(self, domain_id: int) -> bool:
        """Tell whether a domain has a drain."""

    def listeners(self) -> Sequence[OpenListener]:
        """Listeners that are open."""

    def configuration(self) -> ConfigurationState:
        """Which configuration runs, whether the last reload failed, and what waits for a restart."""

    def vitals(self) -> Vitals:
        """Return whether there is room for mail, and how long the certificate is good for."""

    def scrub(self) -> ScrubFacts:
        """Say how the scrub of the store stands."""

    def sighting(self, destination: Destination) -> Sighting | None:
        """Return what probes have shown of a destination, None for one that is not watched."""

    async def metrics(self, accept: str) -> Exposition:
        """Every metric as it is now, in the format that an HTTP Accept header asks for."""

    def send_reports(self) -> None:
        """Reports to senders were stored: see to them now."""

    def stop_drain(self, domain_id: int, reason: str) -> bool:
        """End a domain's drain at once; its mail stays held. False if there is none."""

    def domain_changed(self, domain_id: int) -> None:
        """Have a domain's drain go by its record as it is now; a change that does not concern it does not end it."""

    def drain_held_off(self, domain_id: int) -> AbstractAsyncContextManager[bool]:
        """Let no mail of a domain leave during the block; False if some may be on its way."""


@dataclass(frozen=True, slots=True)
class AdminContext:
    """Handed to every function of this package."""

    store: Store
    directory: LiveDirectory
    vault: Vault
    now: Callable[[], float]  # Unix time
    own_addresses: Sequence[tuple[str, int]]  # what we listen on: never a destination
    hostname: str  # our own name: never a destination
    resolver: (
        Resolver  # the one deliveries use: a destination is judged by the addresses it would get
    )
    hold: Callable[
        [Sequence[ReceivedMail]], Awaitable[list[Receipt]]
    ]  # the one intake: it gives out message numbers
    server: Server | None  # None: the command line opened the store itself
    recipients: LiveRecipients
    transports: Sender  # by which notices leave
    message_size_limit: Callable[[], int]  # octets: the server's, over every domain's
    reservations: QuotaReservations = field(
        default_factory=QuotaReservations
    )  # room for mail on its way in, whoever brings it
    log: Log | None = (
        None  # the server's; the command line alone leaves its trace in the audit trail
    )
    actor: str = "operator"  # who acts, for the audit trail: "operator root"
    reason: str = ""  # why, where the caller said so

    def acting(self, actor: str, reason: str) -> "AdminContext":
        """Return the same office for one request of somebody."""
        return replace(self, actor=actor, reason=reason)


def operator(uid: int) -> str:
    """Name the operator behind a user id of this machine, as the audit trail does."""
    try:
        return f"operator {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"operator uid:{uid}"
