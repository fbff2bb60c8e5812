"""The context of every administrative function: records, keys, and the server if one runs."""

import asyncio
import pwd
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from restante.admin.configuration_state import ConfigurationState
from restante.admin.event_feed import EventFeed
from restante.admin.one_time_seals import OneTimeSeals
from restante.admin.record_locks import RecordLocks
from restante.delivery.drain_state import DrainSnapshot
from restante.network.dns_records import DnsRecords
from restante.network.resolver import Resolver
from restante.network.served_certificate import ServedCertificate
from restante.notices.transports import ChannelSender
from restante.queue.presence import WatchedDestination
from restante.reception.doorkeeper import ShedCause
from restante.reception.intake import IntakeReceipt, ReceivedMail
from restante.reception.quota_reservations import QuotaReservations
from restante.reception.session_traces import SessionTraces
from restante.release.release_outcome import ReleaseOutcome
from restante.request_limits.dial_limits import DialLimits
from restante.request_limits.removal_counts import RemovalCounts
from restante.request_limits.secret_guesses import SecretGuesses
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.telemetry.event_bus import Log
from restante.telemetry.metric_types import Exposition
from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.model import Destination
from restante.tenancy.principal import NOBODY, Principal, Role
from restante.tenancy.sealed_secrets import Vault


@dataclass(frozen=True, slots=True)
class OpenListener:
    """One listener as `status` shows it."""

    service: str
    address: str  # host:port as bound
    tls_minimum: str  # "" without TLS
    sessions: int  # open now


@dataclass(frozen=True, slots=True)
class ScrubFacts:
    """The state of the daily scrub of the store."""

    ended_at: float | None = None  # Unix time of the last completed one; None: none since the start
    is_under_way: bool = False
    messages: int = 0  # messages that the last one has checked so far


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """The sessions of the SMTP listeners, and the connections that were turned away."""

    sessions: int = 0  # open now
    sessions_limit: int = 0
    shed: Mapping[ShedCause, int] = field(default_factory=dict)  # answered 421 since the start


@dataclass(frozen=True, slots=True)
class ServerVitals:
    """The facts that decide whether the running server can do its work."""

    is_room_short: bool
    certificate_expires_at: float  # Unix time
    clock_leap: float = 0.0  # seconds by which the wall clock leapt, while it is in doubt
    clock_trusted_from: float = 0.0  # Unix time; meaningless without a leap
    free_octets: int | None = None  # where the store is; None: nobody here can tell
    disk_reserve: int = 0  # octets; with less room, no mail is taken
    door: DoorFacts = DoorFacts()
    log_failure: str = ""  # the place of the log that takes no lines, and the cause


class ServerSurface(Protocol):
    """The parts of the running server that an administrator may use."""

    async def release(self, target: str, principal: Principal, reason: str) -> ReleaseOutcome:
        """Release like ETRN, without a check of the host, within what the principal sees."""

    async def release_messages(
        self, domain: str, names: str, principal: Principal, reason: str
    ) -> ReleaseOutcome:
        """Hand over single held messages of a domain; their names are separated by spaces."""

    def drains(self) -> Iterator[DrainSnapshot]:
        """Yield the running and waiting drains in the order of their start, each at its turn."""

    def drain_of(self, domain_id: int) -> DrainSnapshot | None:
        """Return a view of a domain's drain, None if it does not run here."""

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has a drain."""

    def listeners(self) -> Sequence[OpenListener]:
        """The open listeners."""

    async def configuration(self) -> ConfigurationState:
        """The running configuration, a failed reload, and the changes of the file that wait."""

    def vitals(self) -> ServerVitals:
        """Return the room for mail, who was turned away, and how long the certificate is valid."""

    def scrub(self) -> ScrubFacts:
        """Return the state of the scrub."""

    def sighting(self, destination: Destination) -> WatchedDestination | None:
        """Return the result of probes of a destination, None for one that is not watched."""

    async def metrics(self, accept: str) -> Exposition:
        """Return every metric as of now, in the format of an HTTP Accept header."""

    def send_reports(self) -> None:
        """Send the reports to senders that were just stored."""

    def send_notices(self) -> None:
        """Send the notices that were just stored."""

    async def stop_drain(self, domain_id: int, reason: str) -> bool:
        """End a domain's drain at once; its mail stays held. False if there is none.

        Raises StoreError.
        """

    def drain_held_off(self, domain_id: int) -> AbstractAsyncContextManager[bool]:
        """Block delivery of a domain's mail during the block; False if some may be in delivery."""


@dataclass(frozen=True, slots=True)
class NetworkAccess:
    """How this server is reached, and how it looks others up."""

    hostname: str  # our own name: never a destination
    own_addresses: Sequence[tuple[str, int]]  # of our listeners: never a destination
    resolver: Resolver  # of deliveries too: a destination is checked by the addresses it would get
    records: DnsRecords  # to judge the DNS of a domain by; nothing connects to their hosts
    certificates: Callable[[], Sequence[ServedCertificate]] = (
        tuple  # that we show; the default first
    )


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """The settings that functions ask for, as of the last reload."""

    message_size_limit: Callable[[], int]  # octets: the server's limit, above every domain's
    portal_url: Callable[[], str] = str  # its beginning, without a slash; "" if there is no portal
    private_addresses: Callable[[], bool] = bool  # whether accounts' channels may use them
    change_delay: Callable[[], float] = float  # seconds that a change of where mail goes waits
    blocklists: Callable[[], Sequence[str]] = tuple  # zones of DNS block lists


@dataclass(frozen=True, slots=True)
class ProcessParts:
    """The parts of this process, a server or a command, by which functions act."""

    hold: Callable[
        [Sequence[ReceivedMail]], Awaitable[list[IntakeReceipt]]
    ]  # the one intake: it assigns message numbers
    recipients: LiveRecipients
    transports: ChannelSender  # the senders of notices
    reservations: QuotaReservations = field(
        default_factory=QuotaReservations
    )  # room for incoming mail, from any source
    log: Log | None = None  # the server's; a command alone writes only to the audit trail
    feed: EventFeed | None = None  # None: no server runs
    traces: SessionTraces | None = None  # likewise


@dataclass(frozen=True, slots=True)
class RequestMemory:
    """The facts and the locks that requests share, in memory."""

    dial_limits: DialLimits = field(default_factory=DialLimits)  # of checks that accounts start
    removals: RemovalCounts = field(default_factory=RemovalCounts)  # by users of the portal
    guesses: SecretGuesses = field(default_factory=SecretGuesses)
    record_locks: RecordLocks = field(default_factory=RecordLocks)
    applying: asyncio.Lock = field(default_factory=asyncio.Lock)  # one configuration at a time
    monotonic: Callable[[], float] = time.monotonic  # its clock, in seconds


@dataclass(frozen=True, slots=True)
class ActingRequest:
    """The actor of a request, and the reason for it. Nobody acts until a request names somebody."""

    principal: Principal = NOBODY
    reason: str = ""  # the caller's, if given


@dataclass(frozen=True, slots=True)
class AdminContext:
    """Passed to every function of this package."""

    store: Store
    directory: LiveDirectory
    vault: Vault
    now: Callable[[], float]  # Unix time
    network: NetworkAccess
    settings: AdminSettings
    parts: ProcessParts
    server: ServerSurface | None  # None: the command line opened the store itself
    memory: RequestMemory = field(default_factory=RequestMemory)
    request: ActingRequest = ActingRequest()

    @property
    def principal(self) -> Principal:
        """The actor."""
        return self.request.principal

    @property
    def reason(self) -> str:
        """The caller's reason; "" if none was given."""
        return self.request.reason

    @property
    def one_time_seals(self) -> OneTimeSeals:
        """The maker of values that are good once."""
        return OneTimeSeals(self.vault, self.store.used, self.now)

    def acting(self, principal: Principal, reason: str = "") -> "AdminContext":
        """Return the same context for one request of a principal."""
        return replace(self, request=ActingRequest(principal, reason))


def operator(uid: int, acted_from: str) -> Principal:
    """Return the operator with a user id of this machine."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid:{uid}"
    return Principal(Role.OPERATOR, Actor(ActorKind.OPERATOR, name), acted_from)
