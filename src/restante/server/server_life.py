"""The life of a server: open the store, build the parts, serve, and stop.

Theory of operation. Everything that runs has a parent: the one TaskGroup of `Application.run`.
Mail comes first: its listeners are open before the code of administration is even loaded
(`administration`), which takes longer than all the rest. It is loaded in a thread, so that sessions
go on meanwhile. The server says that it is ready when both are.
Stopping follows the walk of a message: stop listening, end the dialogues, empty the intake, give
back the drains, close the store. Acknowledged mail is on disk by then. A drain that was cut short
is resumed at the next start.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from restante.background.rounds import Rounds
from restante.config.server_record import recorded
from restante.delivery.dispatcher import STOP_GRACE, Dispatcher
from restante.phrases import FOREIGN_KEY_FILE
from restante.server.built_parts import DeliveryParts, KeptRecords, MailParts, ReceptionParts
from restante.server.damage_log import DamageLog
from restante.server.garbage_collection import GarbageCollection
from restante.server.late_code import LateCode
from restante.server.program_files import ProgramFiles, installed_files
from restante.server.reload import listen_places
from restante.server.server_parts import build_mail, read_records
from restante.server.server_setup import ServerSetup
from restante.server.server_sweep import ServerSweep
from restante.server.store_watch import StoreWatch
from restante.server.task_spawner import CallbackDefects
from restante.store.choice import open_store
from restante.store.interface import Store
from restante.store.sealing.sealed_store import seal_store
from restante.store.store_errors import StoreMismatched
from restante.telemetry.events import ServerReady, ServerStopped, ServerStopping
from restante.telemetry.service_manager import give_sign_of_life, notify
from restante.telemetry.work_word import WorkWord
from restante.tenancy.shared_key import has_shared_key
from restante.web.control_socket import open_control

if TYPE_CHECKING:
    from restante.server.administration import ServerAdministration
    from restante.server.upkeep_parts import UpkeepParts

# A whole database is read, or copied before its schema changes.
_OPENING_SECONDS: Final = 12 * 3600
STOP_SECONDS: Final = 10.0  # for sessions that we owe an answer; then they are cut


def _nothing() -> None:
    """Where nobody minds how long stopping takes."""


class Application:
    """One server, from the opening of its store to the end."""

    def __init__(self, setup: ServerSetup, on_stop: Callable[[], None] = _nothing) -> None:
        """`on_stop` is called when stopping begins."""
        self._setup = setup
        self._log = setup.log
        self._on_stop = on_stop
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()  # was asked for before it was possible
        self._garbage = GarbageCollection(gc)
        self._late = LateCode(self._garbage)
        self.parts: MailParts | None = None  # until the store is open
        self.upkeep: UpkeepParts | None = None  # until mail is served
        self.failure = ""  # why it ended without having been asked to

    async def run(self) -> None:
        """Serve until asked to stop. Raises StoreError, ControlUnusable where it cannot begin."""
        notify(f"EXTEND_TIMEOUT_USEC={_OPENING_SECONDS * 1_000_000}")
        damage = DamageLog(self._log)
        config = self._setup.config
        store = await open_store(
            config.store,
            on_damage=damage.found,
            is_server=True,
            control=config.control_socket,
            access=self._setup.database_access,
        )
        try:
            await self._serve(await self._sealed(store), damage)
        finally:
            await store.close()
        self._log.publish(ServerStopped())

    async def _sealed(self, store: Store) -> Store:
        """Return the store as it opens sealed content. Raises StoreError."""
        config = self._setup.config
        return await seal_store(
            store, self._setup.vault, key_file=str(config.key_file), seals=config.seal_content
        )

    async def _serve(self, store: Store, damage: DamageLog) -> None:
        config, setup = self._setup.config, self._setup
        control = open_control(setup.control_socket)
        # The record of several workers is their supervisor's.
        with recorded(config.file if setup.worker is None else None, setup.control_socket):
            await self._serve_on(control, store, damage)

    async def _serve_on(self, control: socket.socket, store: Store, damage: DamageLog) -> None:
        async with asyncio.TaskGroup() as tasks:
            records = await read_records(store, damage)
            self._check_key(records)
            parts = self.parts = build_mail(self._setup, records, tasks, self._late)
            defects = CallbackDefects(self._log)
            sweep = ServerSweep(
                parts.reception,
                StoreWatch(store.upkeep, self._log, time.monotonic, self._end_failed),
                defects=defects,
                log=self._log,
                fence=partial(self._look_at_lease, store, parts.delivery.dispatcher),
            )
            tasks.create_task(parts.reception.intake.run())  # until it is closed
            background = self._start_background(parts, sweep, tasks)
            await self._open(parts.reception, sweep, defects)
            telling = [
                tasks.create_task(parts.delivery.reports.run()),
                tasks.create_task(parts.delivery.notices.run()),
            ]
            administration = await self._administer(parts, control)
            background += [tasks.create_task(one) for one in administration.work()]
            self._tell_ready(parts.reception)
            await self._stop.wait()
            self._on_stop()
            await self._wind_down(parts, administration)
            await _end_telling(parts.delivery, telling)
            for task in background:
                task.cancel()

    async def _administer(self, parts: MailParts, control: socket.socket) -> "ServerAdministration":
        """Load administration while mail is served, build it, and open its listeners."""
        with self._garbage.keeping():
            make, program = await asyncio.to_thread(_load_administration)
            administration = make(parts, control)
        self._late.begin(program)
        self.upkeep = administration.parts
        await administration.listen()
        self._hear_reload(administration.parts.reloader.ask)
        if self._reload.is_set():
            administration.parts.reloader.ask()
        administration.parts.reloader.ready()
        return administration

    def _look_at_lease(self, store: Store, dispatcher: Dispatcher) -> None:
        """Stop drains whose lease is about to end, or the server if an operator retires it."""
        dispatcher.fence()
        if store.nodes.is_retiring:
            self._stop.set()

    def _check_key(self, records: KeptRecords) -> None:
        """Raise StoreMismatched where other servers have another key."""
        config = self._setup.config
        is_shared = config.store_directory is None
        if is_shared and not has_shared_key(self._setup.vault, records.directory.now):
            raise StoreMismatched(f"{config.key_file}: {FOREIGN_KEY_FILE}")

    def _start_background(
        self, parts: MailParts, sweep: ServerSweep, tasks: asyncio.TaskGroup
    ) -> list[asyncio.Task[None]]:
        """Start the tasks of mail that run until they are cancelled."""
        delivery, retention = parts.delivery, parts.delivery.retention
        rounds = {
            WorkWord.COLLECT_GARBAGE: self._garbage.take_round,
            WorkWord.SIGN_OF_LIFE: give_sign_of_life,
        }
        running = [
            sweep.run(),
            delivery.dispatcher.run(),
            parts.record_poll.run(),
            parts.ground.failures.run(),
            parts.reception.logins.run(),
            delivery.watcher.run(),
            retention.clock.run(),
            retention.mail.run(),
            retention.history.run(),
            retention.presence.run(),
            retention.used_values.run(),
            retention.objects.run(),
            retention.held.run(),
            retention.uses.run(),
            *(Rounds(self._log, doing).run_rounds(round_) for doing, round_ in rounds.items()),
        ]
        return [tasks.create_task(one) for one in running]

    async def _open(
        self, reception: ReceptionParts, sweep: ServerSweep, defects: CallbackDefects
    ) -> None:
        sweep.look_for_room()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(defects.handle)
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, self._stop.set)
        self._hear_reload(self._reload.set)
        self._garbage.begin()
        await self._listen(reception)

    def _hear_reload(self, ask: Callable[[], None]) -> None:
        """At SIGHUP, reopen the log, and ask for a reload."""

        def reload() -> None:
            self._setup.log_place.reopen()
            ask()

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)

    async def _listen(self, reception: ReceptionParts) -> None:
        """Open the listeners of mail."""
        setup, maker = self._setup, reception.session_settings
        places = listen_places(setup.config.listen)
        bound = zip(places, setup.listener_sockets, strict=True)
        await reception.listeners.begin(
            [(place, each) for place, each in bound if not places[place].is_http],
            lambda place: maker.settings(setup.config, places[place], setup.identity),
        )

    def _tell_ready(self, reception: ReceptionParts) -> None:
        self._log.publish(
            ServerReady(
                listening=tuple(
                    f"{each.service} {each.address_text}" for each in reception.listeners
                ),
                control=str(self._setup.control_socket),
                metrics=self._setup.metrics_texts,
                sessions_limit=reception.door.limits.in_all,
            )
        )
        notify("READY=1")

    def _end_failed(self, reason: str) -> None:
        self.failure = reason
        self._stop.set()

    async def _wind_down(self, parts: MailParts, administration: "ServerAdministration") -> None:
        reception = parts.reception
        self._log.publish(ServerStopping(sessions=reception.door.sessions))
        notify("STOPPING=1")
        reception.listeners.close()
        reception.auth_gate.close()
        administration.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await reception.door.until_none()
                await administration.until_idle()
        reception.listeners.abort()
        reception.intake.close()
        await reception.logins.finish()
        await parts.delivery.dispatcher.stop_all()


def _load_administration() -> "tuple[type[ServerAdministration], ProgramFiles]":
    program = ProgramFiles(installed_files())
    from restante.server.administration import ServerAdministration  # noqa: PLC0415  heavy

    return ServerAdministration, program


async def _end_telling(delivery: DeliveryParts, telling: Sequence[asyncio.Task[None]]) -> None:
    """Give reports and notices that are being sent a moment: one cut off may be sent twice."""
    delivery.reports.close()
    delivery.notices.close()
    await asyncio.wait(telling, timeout=STOP_GRACE)
    for task in telling:
        task.cancel()
