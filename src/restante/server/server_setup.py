"""The input of the server's parts: things opened at the start, and the settings that run now."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from restante.admin.configuration_state import ConfigurationState
from restante.config.config_warnings import standing_warnings
from restante.config.schema import CONTROL_NAME, Config
from restante.config.server_certificates import ServerIdentity
from restante.network.addresses import join_host_port
from restante.notices.notice_inbox import NoticeInbox
from restante.reception.login_inbox import LoginInbox
from restante.store.database_access import DatabaseAccess, NodeSeat
from restante.telemetry.domain_counts import DomainCounts
from restante.telemetry.event_bus import EventBus
from restante.telemetry.event_counts import Counts
from restante.telemetry.use_counts import UseInbox
from restante.tenancy.sealed_secrets import Vault

HostAndPort = tuple[str, int]  # host and port


def _bound(sockets: Sequence[socket.socket]) -> list[HostAndPort]:
    return [bound.getsockname()[:2] for bound in sockets]


@dataclass(frozen=True, slots=True)
class EventSubscribers:
    """The parts that keep events of `log` from the first one on, for parts that are built later."""

    counts: Counts
    inbox: NoticeInbox
    uses: UseInbox = field(default_factory=UseInbox)
    logins: LoginInbox = field(default_factory=lambda: LoginInbox(time.time))
    domain_counts: DomainCounts = field(default_factory=DomainCounts)  # of a few events


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """The own files of one of several workers, and the socket that all of them share."""

    number: int  # from 1
    directory: Path  # its own, below `state_dir`
    common_control: socket.socket  # listens; all workers accept from it

    @property
    def control_socket(self) -> Path:
        """The control socket at which this worker alone answers."""
        return self.directory / CONTROL_NAME

    @property
    def seat(self) -> NodeSeat:
        """Its place among the nodes of the store."""
        return NodeSeat(f"{socket.gethostname()}:w{self.number}", self.directory / "slot")


def _nothing() -> None:
    """Where nobody writes a log."""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """The place that takes the lines of the log."""

    reopen: Callable[[], None] = _nothing  # it was moved, perhaps
    failure: Callable[[], str] = str  # why it takes no lines now; "" if it does


@dataclass(frozen=True, slots=True)
class ServerSetup:
    """Made by `server_start` before the store is opened, partly as root."""

    config: Config
    identity: ServerIdentity
    vault: Vault
    sockets: Sequence[socket.socket]  # bound: first those of the listeners, in their order
    log: EventBus  # parts may subscribe
    heard: EventSubscribers
    started_at: float  # Unix time
    trace_spans_dropped: Callable[[], int] = int  # without traces: 0
    worker: WorkerPlace | None = None  # None: this process is the whole server
    log_place: LogPlace = field(default_factory=LogPlace)

    @property
    def control_socket(self) -> Path:
        """Return the control socket that this process makes."""
        return self.config.control_socket if self.worker is None else self.worker.control_socket

    @property
    def common_sockets(self) -> Sequence[socket.socket]:
        """Return the control sockets at which other workers answer too."""
        return () if self.worker is None else (self.worker.common_control,)

    @property
    def database_access(self) -> DatabaseAccess:
        """How this process opens a database."""
        access = self.config.database_access
        return access if self.worker is None else replace(access, seat=self.worker.seat)

    @property
    def listener_sockets(self) -> Sequence[socket.socket]:
        """Return the sockets of `[[listen]]`, in the order of the configuration."""
        return self.sockets[: len(self.config.listen)]

    @property
    def metrics_sockets(self) -> Sequence[socket.socket]:
        """Return the sockets that only metrics are served on."""
        return self.sockets[len(self.config.listen) :]

    @property
    def addresses(self) -> list[HostAndPort]:
        """Return every address that is bound."""
        return _bound(self.sockets)

    @property
    def metrics_addresses(self) -> list[HostAndPort]:
        """Return the addresses that metrics are served on."""
        return _bound(self.metrics_sockets)

    @property
    def metrics_texts(self) -> tuple[str, ...]:
        """Return the addresses that metrics are served on, for the log."""
        return tuple(join_host_port(*address) for address in self.metrics_addresses)


class RunningSettings:
    """The configuration and the certificates that run. A reload replaces both at once."""

    def __init__(self, config: Config, identity: ServerIdentity, read_at: float) -> None:
        """`read_at` is when the file was read, in Unix time."""
        self.config = config
        self.identity = identity
        self.read = config  # the file, as it was read last
        self.state = ConfigurationState(read_at, warnings=standing_warnings(config))
        self._listeners: list[Callable[[Config], None]] = []

    def on_change(self, listener: Callable[[Config], None]) -> None:
        """Call this with the new configuration after each replacement.

        It is for parts that count or wait by a limit; others ask for `config` when they need it.
        """
        self._listeners.append(listener)

    def note(self, state: ConfigurationState) -> None:
        """Take note of how the file that was read last differs from this."""
        self.state = state

    def show(self, identity: ServerIdentity) -> None:
        """Let these certificates run from now on."""
        self.identity = identity

    def replace(self, config: Config, identity: ServerIdentity, read: Config) -> None:
        """Let these run from now on. `read` is the file: it may differ until a restart."""
        self.config, self.identity, self.read = config, identity, read
        for listener in self._listeners:
            listener(config)
