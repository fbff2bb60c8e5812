"""The life of a server: open the store, build the parts, serve, and stop.

Theory of operation. Everything that runs has a parent: the one TaskGroup of `Application.run`.
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
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Final

from restante.background.rounds import Rounds
from restante.config.server_record import recorded
from restante.delivery.dispatcher import STOP_GRACE, Dispatcher
from restante.phrases import FOREIGN_KEY_FILE
from restante.server.built_parts import AdminParts, DeliveryParts, KeptRecords, ServerParts
from restante.server.damage_log import DamageLog
from restante.server.garbage_collection import GarbageCollection
from restante.server.reload import listen_places
from restante.server.server_parts import build, read_records
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
from restante.web.control_service import serve_on, serve_shared_on
from restante.web.control_socket import open_control
from restante.web.metrics_service import serve_metrics

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
        self._garbage = GarbageCollection(gc)
        self.parts: ServerParts | None = None  # until the store is open
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
            parts = self.parts = build(self._setup, records, tasks)
            defects = CallbackDefects(self._log)
            sweep = ServerSweep(
                parts.reception,
                parts.admin,
                StoreWatch(store.upkeep, self._log, time.monotonic, self._end_failed),
                defects=defects,
                log=self._log,
                fence=partial(self._look_at_lease, store, parts.delivery.dispatcher),
            )
            tasks.create_task(parts.reception.intake.run())  # until it is closed
            background = self._start_background(parts, sweep, control, tasks)
            await self._open(parts, sweep, defects)
            # An authority asks at once, and new certificates are for open listeners.
            background.append(tasks.create_task(parts.admin.http.orders.run()))
            telling = [
                tasks.create_task(parts.delivery.reports.run()),
                tasks.create_task(parts.delivery.notices.run()),
            ]
            await self._stop.wait()
            self._on_stop()
            await self._wind_down(parts)
            await _end_telling(parts.delivery, telling)
            for task in background:
                task.cancel()

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
        self,
        parts: ServerParts,
        sweep: ServerSweep,
        control: socket.socket,
        tasks: asyncio.TaskGroup,
    ) -> list[asyncio.Task[None]]:
        """Start the tasks that run until they are cancelled."""
        admin, delivery, retention = parts.admin, parts.delivery, parts.delivery.retention
        rounds = {
            WorkWord.SCRUB: admin.scrubber.take_round,
            WorkWord.COLLECT_GARBAGE: self._garbage.take_round,
            WorkWord.SIGN_OF_LIFE: give_sign_of_life,
            WorkWord.EVENT_FEED: admin.feed.look_at_held,
        }
        running = [
            sweep.run(),
            delivery.dispatcher.run(),
            parts.record_poll.run(),
            parts.failures.run(),
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
            admin.loop_lag.run(),
            admin.token_uses.run(),
            admin.keepers.changes.run(),
            admin.keepers.proofs.run(),
            admin.sessions.run(),
        ]
        return [tasks.create_task(one) for one in (*running, *self._serving(admin, control))]

    def _serving(
        self, admin: AdminParts, control: socket.socket
    ) -> Iterator[Coroutine[None, None, None]]:
        """Yield what answers at the control sockets and at the ports of the metrics."""
        context, http = admin.context, admin.http
        yield serve_on(context, control, http.control)
        for shared in self._setup.common_sockets:
            yield serve_shared_on(context, shared, http.control)
        for bound in self._setup.metrics_sockets:
            yield serve_metrics(context, bound, http.metrics)

    async def _open(self, parts: ServerParts, sweep: ServerSweep, defects: CallbackDefects) -> None:
        sweep.look_for_room()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(defects.handle)
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, parts.admin.reloader.ask)
        self._garbage.begin()
        await self._listen(parts)
        parts.admin.reloader.ready()
        listeners = parts.reception.listeners
        self._log.publish(
            ServerReady(
                listening=tuple(f"{each.service} {each.address_text}" for each in listeners),
                control=str(self._setup.control_socket),
                metrics=self._setup.metrics_texts,
                sessions_limit=parts.reception.door.limits.in_all,
            )
        )
        notify("READY=1")

    async def _listen(self, parts: ServerParts) -> None:
        config, identity = self._setup.config, self._setup.identity
        listen, maker = listen_places(config.listen), parts.admin.http.listener_settings
        await parts.reception.listeners.begin(
            list(zip(listen, self._setup.listener_sockets, strict=True)),
            lambda place: maker.settings(config, listen[place], identity),
        )

    def _end_failed(self, reason: str) -> None:
        self.failure = reason
        self._stop.set()

    async def _wind_down(self, parts: ServerParts) -> None:
        reception = parts.reception
        self._log.publish(ServerStopping(sessions=reception.door.sessions))
        notify("STOPPING=1")
        reception.listeners.close()
        reception.auth_gate.close()
        parts.admin.feed.close()  # its followers would keep the control socket open
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await reception.door.until_none()
                await parts.admin.http.web.until_none_busy()
        reception.listeners.abort()
        reception.intake.close()
        await reception.logins.finish()
        await parts.delivery.dispatcher.stop_all()


async def _end_telling(delivery: DeliveryParts, telling: Sequence[asyncio.Task[None]]) -> None:
    """Give reports and notices that are being sent a moment: one cut off may be sent twice."""
    delivery.reports.close()
    delivery.notices.close()
    await asyncio.wait(telling, timeout=STOP_GRACE)
    for task in telling:
        task.cancel()
