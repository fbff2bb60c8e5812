"""The server under test: the `Application` on a machine that can crash, stop and start again.

Only its edges are replaced: the store (faulty_store), name look-up, sockets, the space on the disk,
and the control socket; administration is called directly.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from restante.admin.admin_context import AdminContext
from restante.config import config_warnings
from restante.config.certificate import read_private_key
from restante.config.key_file import read_key
from restante.config.load import load
from restante.config.schema import Config
from restante.config.self_signed import self_signed
from restante.config.server_certificates import ServerIdentity, read_identity
from restante.notices.notice_inbox import NoticeInbox
from restante.notices.notice_rules import RULES
from restante.server import (
    administration,
    build_reception,
    reload,
    server_life,
    server_parts,
    server_sweep,
)
from restante.server.server_life import Application
from restante.server.server_setup import EventSubscribers, ServerSetup
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import EventBus
from restante.telemetry.event_counts import Counts
from restante.telemetry.events import (
    EVENTS,
    DrainFinished,
    DrainStarted,
    Event,
    InternalError,
    ServerReady,
)
from restante.telemetry.log_writer import event_fields
from restante.tenancy.principal import CONTROL_SOCKET, Principal, Role
from restante.tenancy.sealed_secrets import Vault
from tests.actors import actor_named
from tests.config.files import installed
from tests.delivery.world import Names
from tests.no_garbage import NoGarbage
from tests.simulation.faulty_store import Disk
from tests.simulation.network import Machine, Network
from tests.simulation.trace import Trace
from tests.simulation.virtual_loop import EPOCH, BoundSocket, VirtualLoop

ADDRESS: Final = ("192.0.2.25", 25)
_OPERATOR: Final = Principal(Role.OPERATOR, actor_named("operator root"), CONTROL_SOCKET)
_SESSIONS: Final = 10_000
_STOP_SECONDS: Final = 120.0
_ROOM: Final = 1 << 40  # octets
_RESTART_SECONDS: Final = 2.0

CONFIG: Final = """
hostname = "mx2.example.net"
store = "sqlite:data"
[[listen]]
service = "mx"
address = "192.0.2.25:25"
[tls]
certificate = "tls/cert-rsa.pem"
key = "tls/key-rsa.pem"
[reception]
command_timeout = 40
content_timeout = 40
greeting_timeout = 40
session_seconds = 300
disk_reserve = 0
releases_per_minute = {releases}
[presence]
pause = 20

[delivery]
patience = {patience}
first_retry = 2
longest_retry = 20
connect_timeout = 10
reply_timeout = 15
content_timeout = 20
drains_limit = 4
account_drains_limit = 2
messages_per_connection = {per_connection}
"""


async def _serve_nobody(*_: Any) -> None:
    await asyncio.get_running_loop().create_future()


@dataclass(eq=False)
class ServerMachine:
    """One server, over all its lives."""

    loop: VirtualLoop
    network: Network
    disk: Disk
    trace: Trace
    directory: Path
    patience: int
    on_drain: Callable[
        [DrainStarted | DrainFinished], None
    ]  # is told the beginning and the end of each
    app: Application | None = None
    machine: Machine | None = None
    lives: int = 0
    starts: list[float] = field(default_factory=list)  # of each life: when it was ready
    ends: list[tuple[float, str]] = field(default_factory=list)  # of each life: when, how
    defects: list[str] = field(default_factory=list)
    _running: "asyncio.Task[None] | None" = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _admin: AdminContext | None = None  # of this life

    async def start(self) -> None:
        """Start it, and return when it is ready."""
        self.lives += 1
        self._ready, self._admin = asyncio.Event(), None
        self.machine = Machine(f"server{self.lives}", ADDRESS[0])
        app = self.app = Application(self._setup(self.machine))
        self._running = self.loop.create_task(self._live(app), context=self.machine.context)
        await self._ready.wait()
        if app.upkeep is not None:
            administration = await app.upkeep.admin.parts()
            if app is self.app:
                self._admin = administration.context.acting(_OPERATOR, "simulated")

    async def _live(self, app: Application) -> None:
        machine = self.machine
        assert machine is not None
        failure = ""
        try:
            await app.run()
            failure = app.failure
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001  the program would end by it
            failure = self._failure(machine, error)
        if machine.is_alive:  # it ended by itself, or was told to
            self.ends.append((self.loop.time(), "stopped"))
            self.network.crash(machine)
            self._ready.set()
            if failure:
                self.trace.note("machine", f"the server ended: {failure}")
                self.loop.call_later(_RESTART_SECONDS, self.start_soon)

    def _failure(self, machine: Machine, error: Exception) -> str:
        """Return why the program ends: a store that fails is no defect."""
        if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if machine.is_alive and not isinstance(error, StoreError):
            self.defects.append(f"the server ended with {error!r}")
        return str(error)

    def start_soon(self) -> None:
        """Start it again."""
        if self.machine is None or not self.machine.is_alive:
            self._starting = self.loop.create_task(self.start())

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.machine is not None and self.machine.is_alive and self._admin is not None

    def crash(self) -> None:
        """Cut the power."""
        if self.machine is None or not self.machine.is_alive:
            return
        self.trace.note("machine", "crash")
        self.ends.append((self.loop.time(), "crashed"))
        self.network.crash(self.machine)
        assert self._running is not None
        self._running.cancel()
        self._ready.set()

    async def stop(self) -> None:
        """Stop as SIGTERM does."""
        assert self._running is not None
        self.trace.note("machine", "stop")
        self.loop.signals[signal.SIGTERM]()
        await asyncio.wait([self._running], timeout=_STOP_SECONDS)
        if not self._running.done():
            self.defects.append(f"the server did not stop in {_STOP_SECONDS:.0f} s")
            self.crash()

    def reload(self, releases: int, per_connection: int) -> None:
        """Reload as SIGHUP does, with another configuration."""
        self.trace.note("machine", f"reload, {per_connection} messages per connection")
        self.write_config(releases, per_connection)
        self.loop.signals[signal.SIGHUP]()

    def write_config(self, releases: int = 60, per_connection: int = 1000) -> None:
        """Write the configuration file."""
        text = CONFIG.format(
            releases=releases, per_connection=per_connection, patience=self.patience
        )
        (self.directory / "restante.toml").write_text(text)

    @property
    def admin(self) -> AdminContext:
        """Return what the operator works with. The server must be up."""
        assert self._admin is not None
        return self._admin

    def _setup(self, machine: Machine) -> ServerSetup:
        config = load(self.directory / "restante.toml", {})
        bus, counts, inbox = EventBus(), Counts(), NoticeInbox(lambda: EPOCH + self.loop.time())
        bus.subscribe(counts.count, *EVENTS)
        bus.subscribe(inbox.hear, *RULES)
        bus.subscribe(lambda event: self._hear(machine, event), *EVENTS)
        return ServerSetup(
            config=config,
            identity=_identity(config),
            vault=Vault(read_key(config.key_file)),
            sockets=[BoundSocket(ADDRESS)],  # type: ignore[list-item]
            log=bus,
            heard=EventSubscribers(counts, inbox),
            started_at=EPOCH + self.loop.time(),
        )

    def _hear(self, machine: Machine, event: Event) -> None:
        if not machine.is_alive:
            return
        fields = event_fields(event)
        name = fields.pop("event")
        fields.pop("control", None)  # a path that depends on the machine
        text = " ".join(f"{key}={value}" for key, value in fields.items() if value not in ("", 0))
        self.trace.note("server", f"{name} {text}")
        if isinstance(event, ServerReady):
            self._ready.set()
            self.starts.append(self.loop.time())
        if isinstance(event, (DrainStarted, DrainFinished)):
            self.on_drain(event)
        if isinstance(event, InternalError):
            self.defects.append(f"a defect in the server: {event.error!r} {text}")


def _identity(config: Config) -> ServerIdentity:
    """Read the certificates. Without session tickets, whose length depends on chance."""
    identity = read_identity(config)
    for contexts in identity.contexts.values():
        for context in contexts:
            context.num_tickets = 0
    return identity


@contextmanager
def edges_replaced(disk: Disk) -> Iterator[Path]:
    """Provide a directory for the server, and replace its edges meanwhile."""

    async def open_store(_url: str, *, on_damage: Any, is_server: bool, **_: Any) -> Any:
        assert is_server
        return await disk.open(on_damage)

    names = Names()
    replaced: list[tuple[Any, str, Any]] = [
        (server_life, "open_store", open_store),
        (server_life, "open_control", lambda _: None),
        (administration, "serve_late", _serve_nobody),
        (administration, "removed_at_end", lambda _: nullcontext()),
        (server_life, "gc", NoGarbage()),
        (server_parts, "DnsResolver", lambda _, **__: names),
        (build_reception, "sessions_possible", lambda: _SESSIONS),
        (server_sweep, "is_exhausted", lambda: False),
        (config_warnings, "free_octets", lambda _: _ROOM),
        (config_warnings, "size_octets", lambda _: _ROOM),
        (reload, "read_identity", _identity),
    ]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="restante-simulation-")))
        for target, name, instead in replaced:
            stack.enter_context(patch.object(target, name, instead))
        installed(directory)
        _renew_certificate(directory / "tls")
        yield directory


def _renew_certificate(directory: Path) -> None:
    """Make a certificate whose length depends on nothing: its serial number is fixed."""
    key = read_private_key((directory / "key-rsa.pem").read_bytes())
    assert isinstance(key, RSAPrivateKey)
    with patch.object(x509, "random_serial_number", lambda: 1 << 150):
        made = self_signed("mx2.example.net", key, EPOCH)
    (directory / "cert-rsa.pem").write_bytes(made)
