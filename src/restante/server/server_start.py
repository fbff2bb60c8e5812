"""From a Config to a running server.

The work that needs root comes first (bind the ports, read the keys). Then the process becomes the
plain user and starts the rest. A fault outside the program is reported in one line on standard
error, and by an exit code of sysexits.
"""

import asyncio
import faulthandler
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from importlib import import_module

import uvloop

from restante import __version__
from restante.config.key_file import KeyUnusable, read_key
from restante.config.privileges import (
    UserUnusable,
    become,
    check_program_is_reachable,
    keep_memory_private,
)
from restante.config.schema import Config
from restante.config.server_certificates import IdentityUnusable, ServerIdentity, read_identity
from restante.network.late_module import leave_out_unused
from restante.network.tls_names import ignore_strange_names
from restante.notices.notice_inbox import NoticeInbox
from restante.notices.notice_rules import RULES
from restante.phrases import remedy_for_address
from restante.reception.descriptor_limit import raise_limit
from restante.reception.listener import bind
from restante.reception.login_inbox import LoginInbox
from restante.server.log_making import connect_log
from restante.server.server_life import Application
from restante.server.server_setup import EventSubscribers, LogPlace, ServerSetup, WorkerPlace
from restante.store.store_errors import (
    StoreDamaged,
    StoreError,
    StoreMismatched,
    StoreMisplaced,
    StoreUnusable,
)
from restante.telemetry.domain_counts import COUNTED, DomainCounts
from restante.telemetry.event_bus import EventBus
from restante.telemetry.event_counts import Counts
from restante.telemetry.events import (
    EVENTS,
    AuthenticationEnded,
    MailHeld,
    MessageDelivered,
    ServerStarting,
)
from restante.telemetry.log_writer import LogWriter
from restante.telemetry.trace_export import TraceExporter
from restante.telemetry.trace_spans import TRACED, TraceSpans
from restante.telemetry.use_counts import UseInbox
from restante.tenancy.sealed_secrets import Vault
from restante.web.control_socket import ControlMisplaced, ControlUnusable

EX_OK, EX_DATAERR, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 0, 65, 69, 75, 77, 78

# Seconds from the signal: less than the service manager waits, more than any grace period of ours.
STOP_DEADLINE = 45.0

# Seconds for which a thread that reads from the store may keep the event loop from running. Each
# step of a session can wait once for them, and Python's own 5 ms would be felt by all mail.
SWITCH_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class StartGround:
    """The configuration, and the files that are read before privileges are dropped."""

    config: Config
    identity: ServerIdentity
    vault: Vault


@dataclass(frozen=True, slots=True)
class _Subscribers:
    """The subscribers to the events of a server, from its first one on."""

    log: EventBus
    writer: LogWriter
    parts: EventSubscribers
    exporter: TraceExporter | None


def run_server(config: Config) -> int:
    """Run the server until SIGTERM. Return a sysexits code. Each error is a line on stderr."""
    keep_memory_private()
    raise_limit()
    heard = _subscribers(config)
    sockets: list[socket.socket] = []
    return _serve_heard(heard, config, sockets, lambda: _run_server(config, heard, sockets))


def run_worker(ground: StartGround, sockets: list[socket.socket], worker: WorkerPlace) -> int:
    """Run one of several workers until SIGTERM; its supervisor has bound the sockets.

    It has no privileges any more. Return a sysexits code.
    """
    heard = _subscribers(ground.config, worker.number)
    return _serve_heard(
        heard, ground.config, sockets, lambda: _serve(ground, heard, sockets, worker)
    )


def _serve_heard(
    heard: _Subscribers, config: Config, sockets: list[socket.socket], serve: Callable[[], str]
) -> int:
    faulthandler.enable()  # the watchdog aborts a process that hangs: the log then says where
    heard.log.publish(ServerStarting(config=str(config.file or ""), hostname=config.hostname))
    try:
        return exit_code_of(serve)
    finally:
        for bound in sockets:
            bound.close()
        if heard.exporter is not None:
            heard.exporter.stop()


def exit_code_of(serve: Callable[[], str]) -> int:
    """Serve; return a sysexits code. Each error is a line on stderr.

    `serve` returns why it ended without having been asked to, or "".
    """
    try:
        failure = serve()
    except CannotBind as error:
        return _give_up(error.code, str(error))
    except StoreError as error:
        return _give_up(*_without_store(error))
    except (IdentityUnusable, KeyUnusable, UserUnusable, ControlMisplaced) as error:
        return _give_up(EX_CONFIG, str(error))
    except ControlUnusable as error:
        return _give_up(EX_UNAVAILABLE, str(error))
    return _give_up(EX_TEMPFAIL, f"{failure}; start the server again") if failure else EX_OK


def _run_server(config: Config, heard: _Subscribers, sockets: list[socket.socket]) -> str:
    """Bind, drop privileges and serve. Return why it ended without having been asked to, or "".

    `sockets` gets those that were bound, also if this raises.
    """
    check_program_is_reachable(config.user)
    sockets.extend(bind_or_say(address, key) for address, key in _addresses(config))
    return _serve(drop_privileges(config), heard, sockets, None)


def drop_privileges(config: Config) -> StartGround:
    """Read what only root may, perhaps, and become the plain user."""
    vault = Vault(read_key(config.key_file))
    identity = read_identity(config)
    become(config.user)
    keep_memory_private()
    return StartGround(config, identity, vault)


def _serve(
    ground: StartGround,
    heard: _Subscribers,
    sockets: list[socket.socket],
    worker: WorkerPlace | None,
) -> str:
    ignore_strange_names()
    leave_out_unused()
    heard.writer.begin()  # as the plain user
    exporter = heard.exporter
    if exporter is not None:
        exporter.start()
    setup = ServerSetup(
        config=ground.config,
        identity=ground.identity,
        vault=ground.vault,
        sockets=sockets,
        log=heard.log,
        heard=heard.parts,
        started_at=time.time(),
        trace_spans_dropped=lambda: 0 if exporter is None else exporter.dropped,
        worker=worker,
        log_place=LogPlace(heard.writer.reopen, lambda: heard.writer.failure),
    )
    application = Application(setup, on_stop=_stop_for_certain)
    try:
        _run(application.run(), is_uvloop=ground.config.uvloop)
    finally:
        heard.writer.end()  # before the line that says what to do
    return application.failure


def _subscribers(config: Config, worker: int = 0) -> _Subscribers:
    """Connect the log, the counters, the notices and the traces to the events."""
    log, uses = EventBus(), UseInbox()
    counts, inbox, logins = Counts(), NoticeInbox(time.time), LoginInbox(time.time)
    domain_counts = DomainCounts()
    log.subscribe(counts.count, *EVENTS)
    log.subscribe(domain_counts.count, *COUNTED)
    log.subscribe(inbox.hear, *RULES)
    log.subscribe(logins.hear, AuthenticationEnded)
    log.subscribe(uses.hear_held, MailHeld)
    log.subscribe(uses.hear_delivered, MessageDelivered)
    writer = connect_log(config, log, worker)
    parts = EventSubscribers(counts, inbox, uses, logins, domain_counts)
    return _Subscribers(log, writer, parts, _traces(config, log))


def _traces(config: Config, log: EventBus) -> TraceExporter | None:
    """Have traces made of the events, if the configuration names a collector."""
    if not config.telemetry.otlp:
        return None
    spans = import_module("restante.telemetry.otlp_spans")  # slow, and an extra
    exporter = TraceExporter(spans.otlp_export(config.telemetry.otlp, config.hostname, __version__))
    log.subscribe(TraceSpans(time.time, time.monotonic, exporter.take).hear, *TRACED)
    return exporter


def _stop_for_certain() -> None:
    """Exit after STOP_DEADLINE even if something still runs: a thread may be in an endless read.

    Acknowledged mail is on the disk, so this loses no more than a kill would.
    """
    timer = threading.Timer(STOP_DEADLINE, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    sys.stderr.write(
        f"restante: something did not end within {STOP_DEADLINE:.0f} s, a read of a disk perhaps;"
        " leaving\n"
    )
    sys.stderr.flush()
    os._exit(EX_TEMPFAIL)


def _without_store(error: StoreError) -> tuple[int, str]:
    """Return the exit code and what to say where the store cannot be served."""
    if isinstance(error, StoreDamaged):  # starting again would meet the same
        return EX_DATAERR, str(error)
    if isinstance(error, (StoreMisplaced, StoreMismatched)):
        return EX_CONFIG, str(error)
    if isinstance(error, StoreUnusable):
        return EX_UNAVAILABLE, str(error)
    return (
        EX_TEMPFAIL,
        f"{error}; start the server again",
    )  # met once it was open: opening it again says more


class CannotBind(Exception):  # noqa: N818
    """An address is not to be had; `code` is for the caller of the program."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def _addresses(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each address to bind, and its setting: first the listeners, in their order."""
    yield from ((listen.address, "[[listen]]") for listen in config.listen)
    if config.telemetry.metrics:
        yield config.telemetry.metrics, "[telemetry]"


def bind_or_say(address: str, table: str, *, is_shared: bool = False) -> socket.socket:
    """Bind an address of a table of the configuration. Raises CannotBind."""
    try:
        return bind(address, is_shared=is_shared)
    except PermissionError:
        remedy = "start as root (and set `user`), or allow it by CAP_NET_BIND_SERVICE"
        raise CannotBind(EX_NOPERM, f"{address}: this user may not bind it; {remedy}") from None
    except OSError as error:
        remedy = remedy_for_address(error, table)
        raise CannotBind(EX_UNAVAILABLE, f"{address}: {error.strerror}; {remedy}") from None


def _run(main: Coroutine[None, None, None], *, is_uvloop: bool) -> None:
    """Run the server. A failure of one of its tasks is raised as itself, not as a group of one."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if is_uvloop else None) as runner:
        try:
            runner.run(main)
        except BaseExceptionGroup as group:
            failure: BaseException = group
            while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
                failure = failure.exceptions[0]
            if failure is group:
                raise
            raise failure from None


def _give_up(code: int, text: str) -> int:
    sys.stderr.write(f"restante: {text}\n")
    return code
