"""The input of the server's parts: things opened at the start, and the settings that run now."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from restante.config.identity import Identity
from restante.config.schema import Config
from restante.network.addresses import join_host_port
from restante.notices.notice_inbox import NoticeInbox
from restante.reception.login_inbox import LoginInbox
from restante.telemetry.counts import Counts
from restante.telemetry.log import EventBus
from restante.telemetry.use_counts import UseInbox
from restante.tenancy.secrets import Vault

Address = tuple[str, int]  # host and port


def _bound(sockets: Sequence[socket.socket]) -> list[Address]:
    return [bound.getsockname()[:2] for bound in sockets]


@dataclass(frozen=True, slots=True)
class ServerSetup:
    """Made by `server_start` before the store is opened, partly as root."""

    config: Config
    identity: Identity
    vault: Vault
    sockets: Sequence[socket.socket]  # bound: first those of the listeners, in their order
    log: EventBus  # parts may subscribe
    counts: Counts  # of the lines of `log`
    inbox: NoticeInbox  # gets the lines of `log`
    started_at: float  # Unix time
    uses: UseInbox = field(default_factory=UseInbox)  # the same
    logins: LoginInbox = field(default_factory=lambda: LoginInbox(time.time))  # the same
    trace_spans_dropped: Callable[[], int] = int  # without traces: 0

    @property
    def listener_sockets(self) -> Sequence[socket.socket]:
        """Return the sockets of `[[listen]]`, in the order of the configuration."""
        return self.sockets[: len(self.config.listen)]

    @property
    def metrics_sockets(self) -> Sequence[socket.socket]:
        """Return the sockets that only metrics are served on."""
        return self.sockets[len(self.config.listen) :]

    @property
    def addresses(self) -> list[Address]:
        """Return every address that is bound."""
        return _bound(self.sockets)

    @property
    def metrics_addresses(self) -> list[Address]:
        """Return the addresses that metrics are served on."""
        return _bound(self.metrics_sockets)

    @property
    def metrics_text(self) -> str:
        """Return the addresses that metrics are served on, for the log."""
        return ", ".join(join_host_port(*address) for address in self.metrics_addresses)


class RunningSettings:
    """The configuration and the certificates that run. A reload replaces both at once."""

    def __init__(self, config: Config, identity: Identity) -> None:
        self.config = config
        self.identity = identity
        self._listeners: list[Callable[[Config], None]] = []

    def on_change(self, listener: Callable[[Config], None]) -> None:
        """Call this with the new configuration after each replacement.

        It is for parts that count or wait by a limit; others ask for `config` when they need it.
        """
        self._listeners.append(listener)

    def replace(self, config: Config, identity: Identity) -> None:
        """Let these run from now on."""
        self.config, self.identity = config, identity
        for listener in self._listeners:
            listener(config)
