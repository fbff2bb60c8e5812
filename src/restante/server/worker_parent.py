"""The supervisor of several workers: binds, forks, watches, and ends with the last of them.

    supervisor ── fork ──► worker 1  ── its own sockets, bound with SO_REUSEPORT
        │  ▲                 │          state_dir/1: slot, control.sock
        │  └── READY=1 ──────┘          accepts from the common control.sock too
        ├── fork ──► worker 2 …
        └── signals, systemd, the record of the server

The supervisor binds the addresses once for each worker, reads the keys, and becomes the plain user.
Then it only waits: it has no event loop, no thread and no session with the database. A worker is a
fork of it, so it has what only root could read. `supervision` decides.

The supervisor keeps the sockets of all workers open, so that a worker can start again without
privileges. When a worker ends, its sockets stop listening at once: the kernel then gives all new
connections to the others. Connections that it had not accepted yet are reset.

A worker ends in good order when its supervisor has died (prctl(2), PR_SET_PDEATHSIG). So there are
no orphans, even after SIGKILL.
"""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from restante.config.privileges import (
    check_program_is_reachable,
    end_with,
    keep_memory_private,
)
from restante.config.schema import Config
from restante.config.server_record import recorded
from restante.network.addresses import join_host_port, split_host_port
from restante.reception.descriptor_limit import raise_limit
from restante.reception.listener import stop_listening
from restante.server.log_making import connect_log
from restante.server.server_setup import WorkerPlace
from restante.server.server_start import (
    StartGround,
    bind_or_say,
    drop_privileges,
    exit_code_of,
    run_worker,
)
from restante.server.supervision import WorkerOrder, WorkerSupervision
from restante.telemetry.event_bus import EventBus
from restante.telemetry.events import WorkerEnded
from restante.telemetry.service_manager import SIGN_OF_LIFE, notify, report_to
from restante.web.control_socket import ControlMisplaced, open_control

_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_SIGNALS: Final = {
    WorkerOrder.RELOAD: signal.SIGHUP,
    WorkerOrder.STOP: signal.SIGTERM,
    WorkerOrder.ABORT: signal.SIGABRT,
    WorkerOrder.KILL: signal.SIGKILL,
}
_REPORT_OCTETS: Final = 4096
_DIRECTORY_MODE: Final = 0o700
_DEFECT: Final = 70  # EX_SOFTWARE


def run_workers(config: Config) -> int:
    """Run the workers until SIGTERM. Return a sysexits code. Each error is a line on stderr."""
    keep_memory_private()
    raise_limit()
    code = 0

    def serve() -> str:
        nonlocal code
        check_program_is_reachable(config.user)
        with ExitStack() as bound:
            sockets = [
                [bound.enter_context(each) for each in of_worker]
                for of_worker in bind_for_workers(config)
            ]
            ground = drop_privileges(config)
            with _common_control(config.control_socket) as control:
                code = WorkerSupervisor(ground, sockets, control).run()
        return ""

    failed = exit_code_of(serve)
    return failed or code


def bind_for_workers(config: Config) -> list[list[socket.socket]]:
    """Bind every address once for each worker; return the sockets of each. Raises CannotBind."""
    wanted = [each.address for each in config.listen]
    with ExitStack() as probes:
        actual = [_actual(address, "[[listen]]", probes) for address in wanted]
        return [
            [
                *(bind_or_say(address, "[[listen]]", is_shared=True) for address in actual),
                *_metrics_socket(config, place, probes),
            ]
            for place in range(config.workers)
        ]


def _actual(address: str, table: str, probes: ExitStack) -> str:
    """Return an address with a port that is free, if any port is wanted.

    A socket that was bound to any port would lose it when it stops listening.
    """
    if split_host_port(address)[1]:
        return address
    probe = probes.enter_context(bind_or_say(address, table, is_shared=True))
    return join_host_port(*probe.getsockname()[:2])


def _metrics_socket(config: Config, place: int, probes: ExitStack) -> Iterator[socket.socket]:
    """Bind the port of a worker's own metrics: the configured one, and those that follow it."""
    if config.telemetry.metrics:
        host, port = split_host_port(config.telemetry.metrics)
        address = _actual(join_host_port(host, port and port + place), "[telemetry]", probes)
        yield bind_or_say(address, "[telemetry]", is_shared=not port)


@contextmanager
def _common_control(path: Path) -> Iterator[socket.socket]:
    """Open the control socket of all workers, and remove it at the end."""
    with open_control(path) as control:
        try:
            yield control
        finally:
            path.unlink(missing_ok=True)


@dataclass(slots=True)
class _Child:
    """A worker that runs."""

    process: int
    reports: socket.socket  # its reports for the service manager


@dataclass(slots=True)
class _Wakeup:
    """Wakes the supervisor at a signal, and tells which have come."""

    reader: socket.socket
    writer: socket.socket
    before: dict[int, object] = field(default_factory=dict)

    def begin(self) -> None:
        """Handle signals from now on."""
        self.reader.setblocking(False)
        self.writer.setblocking(False)
        signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        for number in _HANDLED:
            signal.signal(number, _heard)

    def taken(self) -> bytes:
        """Return the numbers of the signals that have come."""
        with suppress(BlockingIOError):
            return self.reader.recv(_REPORT_OCTETS)
        return b""

    def end(self) -> None:
        """Handle no more signals; ignore a reload until somebody can."""
        signal.set_wakeup_fd(-1)
        for number in _HANDLED:
            signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP else signal.SIG_DFL)
        self.reader.close()
        self.writer.close()


def _heard(_number: int, _frame: object) -> None:
    """Nothing: the wake-up tells."""


class WorkerSupervisor:
    """The workers of one machine, from the first fork to the end of the last."""

    def __init__(
        self,
        ground: StartGround,
        sockets: Sequence[Sequence[socket.socket]],
        control: socket.socket,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sockets` are bound, for each worker. `control` listens, and is common."""
        config = ground.config
        self._ground = ground
        self._sockets = sockets
        self._control = control
        self._monotonic = monotonic
        self._supervision = WorkerSupervision(config.workers, monotonic())
        self._children: dict[int, _Child] = {}
        self._wakeup = _Wakeup(*socket.socketpair())
        self._log = EventBus()
        self._writer = connect_log(config, self._log)
        self._is_ready = False
        self._is_stopping = False

    def run(self) -> int:
        """Supervise until no worker is left. Return the exit code of the whole."""
        config = self._ground.config
        for number in range(1, config.workers + 1):
            _make_directory(config.worker_directory(number))
        self._wakeup.begin()
        with recorded(config.file, config.control_socket):
            while (code := self._supervision.exit_code) is None:
                notify(SIGN_OF_LIFE)
                self._carry_out(self._supervision.due(self._monotonic()))
                self._wait()
        return code

    def _wait(self) -> None:
        """Wait for a signal, a report, or the time of the next step, and see to all."""
        at = self._supervision.next_at()
        seconds = None if at is None else max(0.0, at - self._monotonic())
        by_reports = {child.reports: number for number, child in self._children.items()}
        readable, _, _ = select.select([self._wakeup.reader, *by_reports], [], [], seconds)
        for reports in readable:
            if reports in by_reports:
                self._hear(by_reports[reports])
        came = self._wakeup.taken()
        if signal.SIGHUP in came:
            self._writer.reopen()
            self._carry_out(self._supervision.reload())
        if signal.SIGTERM in came or signal.SIGINT in came:
            self._stop()
        self._collect()

    def _stop(self) -> None:
        self._is_stopping = True
        notify("STOPPING=1")
        for sockets in self._sockets:
            for bound in sockets:
                stop_listening(bound)
        self._carry_out(self._supervision.stop(self._monotonic()))

    def _hear(self, number: int) -> None:
        """Take the reports of a worker."""
        reports = self._children[number].reports
        with suppress(OSError):
            while report := reports.recv(_REPORT_OCTETS, socket.MSG_DONTWAIT):
                self._take_report(number, report.decode(errors="replace"))

    def _take_report(self, number: int, report: str) -> None:
        if report == "READY=1":
            self._carry_out(self._supervision.ready(number, self._monotonic()))
            if not self._is_ready:
                self._is_ready = True
                notify("READY=1")
        elif report == SIGN_OF_LIFE:
            self._supervision.lives(number)
        elif report.startswith("EXTEND_TIMEOUT") and not self._is_ready:
            notify(report)

    def _collect(self) -> None:
        """See to the workers that have ended."""
        for number, child in list(self._children.items()):
            process, status = os.waitpid(child.process, os.WNOHANG)
            if process:
                self._hear(number)
                del self._children[number]
                child.reports.close()
                self._see_end(number, os.waitstatus_to_exitcode(status))

    def _see_end(self, number: int, code: int) -> None:
        for bound in self._sockets[number - 1]:
            stop_listening(bound)
        has_hung = self._supervision.hangs(number)
        pause = self._supervision.ended(number, code, self._monotonic())
        if code == 0 and self._is_stopping:
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        how = f"{how}, as it hung" if has_hung else how
        self._log.publish(WorkerEnded(worker=number, reason=how, restart_after=pause))

    def _carry_out(self, steps: Sequence[tuple[int, WorkerOrder]]) -> None:
        for number, order in steps:
            if order is WorkerOrder.START:
                self._start(number)
            elif number in self._children:
                os.kill(self._children[number].process, _SIGNALS[order])

    def _start(self, number: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        supervisor = os.getpid()
        sys.stderr.flush()
        process = os.fork()
        if process:
            theirs.close()
            self._children[number] = _Child(process, ours)
            return
        code = _DEFECT
        try:
            ours.close()
            code = self._run_as(number, theirs, supervisor)
        except BaseException:  # noqa: BLE001  this process must not go on as the supervisor
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _run_as(self, number: int, reports: socket.socket, supervisor: int) -> int:
        """Be a worker: in a process of its own."""
        self._wakeup.end()
        end_with(supervisor, signal.SIGTERM)
        report_to(reports)
        for child in self._children.values():
            child.reports.close()
        for other, sockets in enumerate(self._sockets, start=1):
            if other != number:
                for bound in sockets:
                    bound.close()
        config = self._ground.config
        place = WorkerPlace(number, config.worker_directory(number), self._control)
        return run_worker(self._ground, list(self._sockets[number - 1]), place)


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
    except OSError as error:
        raise ControlMisplaced(
            f"{directory}: {error.strerror}; let the server own its state_dir"
        ) from None
