"""The composition root: the server's parts, wired, and their life from the first to the last.

Theory of operation. Everything that runs has a parent: the one TaskGroup of `Application.run`. Stopping follows the walk of a message: stop listening, end the dialogues, empty the intake, give back the drains, close the store.
What was acknowledged is on disk by then; a drain that was cut short is taken up again at the next start.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.config.identity import Identity
from restante.config.schema import IMPLICIT_TLS, Config, Listen
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dispatcher import STOP_GRACE, Dispatcher
from restante.delivery.watcher import Watcher
from restante.mail.message import MessageNumbers, message_name
from restante.network.addresses import join_host_port, peer_address
from restante.network.resolver import DnsResolver
from restante.notices.notice_inbox import NoticeInbox
from restante.notices.notice_service import Notices
from restante.reception.admission import HouseRules
from restante.reception.arrivals import Arrivals
from restante.reception.auth_bursts import AuthBursts
from restante.reception.auth_gate import AuthGate
from restante.reception.authentication import Authenticator
from restante.reception.check_lane import password_lanes, proof_lanes
from restante.reception.descriptors import (
    http_connections_possible,
    is_exhausted,
    is_want_of_descriptors,
    sessions_possible,
)
from restante.reception.disk_space import DiskSpace, free_octets
from restante.reception.domain_facts import DomainFacts
from restante.reception.doorkeeper import Doorkeeper, door_limits
from restante.reception.expected_hosts import ExpectedHosts
from restante.reception.intake import Intake, hold_all
from restante.reception.listener import SWEEP_SECONDS
from restante.reception.listeners import Listeners
from restante.reception.mechanisms import offered_mechanisms
from restante.reception.memory_budget import MemoryBudget
from restante.reception.reception_settings import ReceptionSettings
from restante.reception.services import Services
from restante.reception.smtp_connection import SessionTerms
from restante.release.host_names import HostNames
from restante.release.releaser import Releaser
from restante.release.request import BY_POLICY, ReleaseRequest
from restante.reports.report_sender import Reports
from restante.retention.retention_sweep import RetentionSweep
from restante.sasl.scram_keys import Salting
from restante.server.reload import Reloader, ServerParts, listen_places
from restante.server.server_instruments import Instruments
from restante.server.server_surface import RunningServer
from restante.smtp.limits import Limits
from restante.smtp.server_options import ServerOptions
from restante.store.choice import open_store
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.scrubber import Scrubber
from restante.store.store_errors import StoreError
from restante.telemetry.counts import Counts
from restante.telemetry.events import Event
from restante.telemetry.log import Log
from restante.telemetry.loop_lag import LoopLag
from restante.telemetry.readiness import notify
from restante.tenancy.model import Destination, HostedDomain, IpAddress
from restante.tenancy.policy import Hold, OnRefusal
from restante.tenancy.secrets import Vault
from restante.web.control import serve_on
from restante.web.control_socket import open_control
from restante.web.http_door import HttpDoor, HttpService
from restante.web.metrics_service import serve_metrics

_OPENING_SECONDS = (
    12 * 3600
)  # for a look at all of a database, or a copy of it before its schema changes
STOP_SECONDS = 10.0  # for sessions that we owe an answer; then they are cut


COLLECT_AFTER: Final = (2_000, 10, 100)  # gc.set_threshold
"""A look at all objects takes some hundred nanoseconds for each, and everything waits for it. With Python's own (700, 10,
10) ten thousand drains were looked at again and again while they began. What reference counts do not free is little here,
so it may wait: until two million objects more have been made than freed."""


def _quiet_the_collector() -> None:
    """Have the garbage collector stop the event loop seldom, and leave alone what lives as long as the server."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _nothing() -> None:
    """Where nobody minds how long stopping takes."""


class Application:
    """The server's parts, wired."""

    def __init__(
        self,
        config: Config,
        sockets: Sequence[socket.socket],
        identity: Identity,
        vault: Vault,
        log: Log,
        *,
        counts: Counts,
        news: NoticeInbox,
        on_stop: Callable[[], None] = _nothing,
    ) -> None:
        """`sockets` are bound as `server_start` has them: first those of the listeners, in their order; `counts` and `news` are of what `log` writes."""
        self._config = config
        self._sockets = sockets[: len(config.listen)]
        self._metrics_sockets = sockets[len(config.listen) :]
        self._identity = identity
        self._vault = vault
        self._log = log
        self._counts = counts
        self._news = news
        self._on_stop = on_stop
        self._started_at = time.time()
        self._stop = asyncio.Event()
        self._early_damage: (
            list[tuple[int, str, int]] | None
        ) = []  # met before the records were read; None: since then
        self._has_accept_failed = False  # since it was last told
        self.failure = ""  # why it ended without having been asked to

    async def run(self) -> None:
        """Serve until asked to stop. Raises StoreError, ControlUnusable where it cannot begin."""
        notify(f"EXTEND_TIMEOUT_USEC={_OPENING_SECONDS * 1_000_000}")
        store = await open_store(
            self._config.store_directory, on_damage=self._on_damage, is_server=True
        )
        try:
            await self._serve(store)
        finally:
            await store.close()
        self._log.write(Event.SERVER_STOPPED)

    async def _serve(self, store: Store) -> None:
        control = open_control(self._config.control_socket)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._compose(store)
            background = [
                tasks.create_task(self._intake.run()),
                tasks.create_task(self._sweep()),
                tasks.create_task(self._watcher.run()),
                tasks.create_task(self._retention.run()),
                tasks.create_task(self._scrubber.run()),
                tasks.create_task(self._loop_lag.run()),
                tasks.create_task(serve_on(self._context, control, self._control_door)),
                *(
                    tasks.create_task(serve_metrics(self._context, bound, self._metrics_door))
                    for bound in self._metrics_sockets
                ),
            ]
            await self._open()
            telling = [
                tasks.create_task(self._reports.run()),
                tasks.create_task(self._notices.run()),
            ]
            await self._stop.wait()
            self._on_stop()
            await self._wind_down()
            await self._end_telling(telling)
            for task in background[1:]:
                task.cancel()

    async def _compose(self, store: Store) -> None:
        """Make the parts, in the order in which they need each other."""
        self._store = store
        self._directory = LiveDirectory(store)
        await self._directory.refresh()
        early, self._early_damage = self._early_damage or [], None
        for number, text, domain_id in early:
            self._on_damage(number, text, domain_id)
        self._recipients = LiveRecipients(store, self._directory)
        await self._recipients.load()
        self._resolver = DnsResolver(self._config.resolver.endpoints)
        self._metrics_addresses = [bound.getsockname()[:2] for bound in self._metrics_sockets]
        listening = [bound.getsockname()[:2] for bound in self._sockets]
        self._own_addresses: list[tuple[str, int]] = [*listening, *self._metrics_addresses]
        self._compose_reception(store)
        self._compose_delivery(store)
        self._compose_release(store)
        self._listeners = Listeners(self._door, time.monotonic)
        self._compose_notices(store)
        self._compose_admin(store)

    def _compose_reception(self, store: Store) -> None:
        reception = self._config.reception
        self._host_names = HostNames(self._resolver, time.monotonic)
        expected = ExpectedHosts(self._directory, self._host_names.known)
        self._door = Doorkeeper(
            door_limits(reception, sessions_possible()), expected.is_home, time.monotonic
        )
        self._flight = MemoryBudget(reception.octets_in_flight_limit)
        self._room = DiskSpace(
            partial(free_octets, self._config.store_directory), reception.disk_reserve
        )
        pending = reception.pending_authentications_limit
        self._authenticator = Authenticator(
            self._vault, password_lanes(pending), proof_lanes(pending)
        )
        bursts = AuthBursts(self._log, time.monotonic)
        self._auth_gate = AuthGate(
            self._authenticator, expected, reception, time.monotonic, on_failure=bursts.failed
        )
        self._arrivals = Arrivals(
            store, self._directory, self._log, time.monotonic, on_mail=self._mail_came
        )
        self._intake = Intake(
            store,
            self._log,
            time.time,
            hostname=self._config.hostname,
            numbers=MessageNumbers(store.last_number()),
            on_held=self._arrivals.held,
        )
        self._standings = DomainFacts(
            store, self._directory, time.time, self._is_up, self._recipients.of
        )

    def _compose_delivery(self, store: Store) -> None:
        self._delivery = DeliveryContext(
            store=store,
            directory=self._directory,
            resolver=self._resolver,
            settings=self._config.delivery,
            log=self._log,
            now=time.time,
            monotonic=time.monotonic,
            hostname=self._config.hostname,
            own_addresses=self._own_addresses,
            vault=self._vault,
            learn=self._recipients.learn,
            bounces_refused=lambda domain: domain.policy.on_refusal is OnRefusal.BOUNCE,
        )
        self._dispatcher = Dispatcher(self._delivery, self._tasks)
        self._watcher = Watcher(
            store=store,
            directory=self._directory,
            probe=self._dispatcher.probe,
            start=self._start_unasked,
            is_draining=self._dispatcher.is_draining,
            settings=lambda: self._dispatcher.settings,
            log=self._log,
            now=time.time,
            monotonic=time.monotonic,
            spawn=self.spawn,
        )
        self._dispatcher.on_end(self._watcher.drain_ended)
        self._directory.on_change(self._watcher.records_changed)
        self._retention = RetentionSweep(
            store=store,
            directory=self._directory,
            is_draining=self._dispatcher.is_draining,
            dsn_writer=self._delivery.dsn_writer,
            log=self._log,
            now=time.time,
            until_told=self._until_told,
        )
        self._reports = Reports(store, self._delivery, self._resolver, self._config.reports)
        self._delivery.dsn_writer.on_stored(self._reports.wake)

    def _compose_release(self, store: Store) -> None:
        self._releaser = Releaser(
            store=store,
            directory=self._directory,
            drains=self._dispatcher,
            host_names=self._host_names,
            log=self._log,
            now=time.time,
            monotonic=time.monotonic,
            per_minute=self._config.reception.releases_per_minute,
        )

    def _compose_notices(self, store: Store) -> None:
        self._notices = Notices(
            store=store,
            context=self._delivery,
            exchangers=self._resolver,
            inbox=self._news,
            settings=self._config.notices,
            reports=lambda: self._reports.settings,
            certificate_expires_at=lambda: self._instruments.certificate_expires_at,
        )

    def _compose_admin(self, store: Store) -> None:
        self._scrubber = Scrubber(store, self._log, time.time, time.monotonic)
        self._control_door = HttpDoor(HttpService.CONTROL, http_connections_possible())
        self._metrics_door = HttpDoor(HttpService.METRICS, http_connections_possible())
        self._loop_lag = LoopLag(self._log, time.monotonic)
        self._instruments = Instruments(
            store=store,
            drains=self._dispatcher.census,
            door=self._door,
            flight=self._flight,
            intake=self._intake,
            room=self._room,
            sessions=self._listeners.sessions,
            now=time.time,
            started_at=self._started_at,
            certificate_expires_at=self._identity.expires_at,
            scrubber=self._scrubber,
            loop_lag=self._loop_lag,
        )
        self._reloader = Reloader(
            self._config,
            ServerParts(
                listeners=self._listeners,
                terms=self._terms,
                apply=self._apply,
                vault=self._vault,
                log=self._log,
                now=time.time,
                spawn=self.spawn,
            ),
        )
        self._context = AdminContext(
            store=store,
            directory=self._directory,
            vault=self._vault,
            now=time.time,
            own_addresses=self._own_addresses,
            hostname=self._config.hostname,
            resolver=self._resolver,
            hold=partial(hold_all, self._intake),
            server=RunningServer(
                releaser=self._releaser,
                dispatcher=self._dispatcher,
                watcher=self._watcher,
                reports=self._reports,
                listeners_open=self._listeners,
                counts=self._counts,
                instruments=self._instruments,
                configuration_state=lambda: self._reloader.state,
            ),
            recipients=self._recipients,
            reservations=self._standings.reservations,
            transports=self._notices.transports,
            message_size_limit=lambda: self._config.reception.message_size_limit,
            log=self._log,
        )

    def _terms(self, config: Config, listen: Listen, identity: Identity) -> SessionTerms:
        reception = config.reception
        services = Services(
            directory=self._directory,
            store=self._store,
            intake=self._intake,
            auth_gate=self._auth_gate,
            releaser=self._releaser,
            log=self._log,
            flight=self._flight,
            spawn=self.spawn,
            settings=reception,
            rules=HouseRules(config.hostname, reception.postmaster, _specific(self._own_addresses)),
            room=self._room,
            standings=self._standings,
            arrivals=self._arrivals,
            inquire=self._dispatcher.inquire,
        )
        options = ServerOptions(
            hostname=config.hostname,
            limits=_limits(reception),
            mechanisms=offered_mechanisms(config.hostname, self._salting),
            can_start_tls=listen.service not in IMPLICIT_TLS,
        )
        context = identity.context(listen, config.tls)
        return SessionTerms(
            services, options, context, is_implicit_tls=listen.service in IMPLICIT_TLS
        )

    def _salting(self, user: str) -> Salting:
        return self._authenticator.salting(user, self._directory.now)

    def spawn(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start a task under the server's one group; a defect in it ends it alone, and is logged."""
        return self._tasks.create_task(self._guard(coroutine))

    async def _guard(self, coroutine: Coroutine[None, None, None]) -> None:
        try:
            await coroutine
        except Exception as error:  # noqa: BLE001
            self._log.failure(Event.INTERNAL_ERROR, error)

    async def _open(self) -> None:
        self._look_for_room()
        await self._dispatcher.resume()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_defect)
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reloader.ask)
        _quiet_the_collector()
        listen = listen_places(self._config.listen)
        await self._listeners.begin(
            list(zip(listen, self._sockets, strict=True)),
            lambda place: self._terms(self._config, listen[place], self._identity),
        )
        self._reloader.ready()
        listening = ", ".join(
            f"{listener.service} {listener.address_text}" for listener in self._listeners
        )
        metrics = ", ".join(
            join_host_port(*bound.getsockname()[:2]) for bound in self._metrics_sockets
        )
        self._log.write(
            Event.SERVER_READY,
            listening=listening,
            control=str(self._config.control_socket),
            metrics=metrics,
            sessions_limit=self._door.limits.in_all,
        )
        notify("READY=1")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._listeners.sweep()
            for reason, count in self._door.take_shed().items():
                self._log.write(
                    Event.CONNECTIONS_SHED, count=count, reason=reason, sessions=self._door.sessions
                )
            self._tell_of_http()
            self._look_for_room()
            self._look_for_failure()

    def _tell_of_http(self) -> None:
        for door in (self._control_door, self._metrics_door):
            for cause, count in door.take_closed().items():
                self._log.write(
                    Event.HTTP_CONNECTIONS_CUT,
                    service=door.service.value,
                    count=count,
                    reason=cause.value,
                )
        if (
            self._has_accept_failed or is_exhausted()
        ):  # uvloop says nothing: it closes what it cannot take
            self._has_accept_failed = False
            self._log.write(Event.ACCEPTS_FAILED, sessions=self._door.sessions)

    def _look_for_room(self) -> None:
        free = self._room.look()
        if free is not None:
            event = Event.ROOM_SHORT if self._room.is_short else Event.ROOM_BACK
            self._log.write(event, free=free, disk_reserve=self._room.reserve)

    def _look_for_failure(self) -> None:
        """Leave when the store can be believed no more: only opening it anew tells what is on the disk."""
        if self._store.failure and not self.failure:
            self.failure = self._store.failure
            self._log.failure(Event.SERVER_FAILING, StoreError(self.failure), reason=self.failure)
            self._stop.set()

    async def _wind_down(self) -> None:
        self._log.write(Event.SERVER_STOPPING, sessions=self._door.sessions)
        notify("STOPPING=1")
        self._listeners.close()
        self._auth_gate.close()
        await self._until_sessions_end()
        self._intake.close()
        await self._dispatcher.stop_all()

    async def _end_telling(self, telling: Sequence[asyncio.Task[None]]) -> None:
        """Let what is on its way arrive, reports and notices, for a moment: what is cut off may be sent twice."""
        self._reports.close()
        self._notices.close()
        await asyncio.wait(telling, timeout=STOP_GRACE)
        for task in telling:
            task.cancel()

    async def _until_sessions_end(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._door.until_none()
        self._listeners.abort()

    # The watcher and the notices are made after those who tell them

    def _mail_came(self, domain: HostedDomain) -> None:
        self._watcher.mail_came(domain)

    async def _until_told(self) -> None:
        await self._notices.until_stored()

    def _is_up(self, destination: Destination) -> bool:
        return self._watcher.is_up(destination)

    async def _start_unasked(self, domain: HostedDomain) -> None:
        """Begin a drain as policy has it: on a return through the door, audited; a relay's are no requests."""
        if domain.policy.hold is Hold.RELAY:
            await self._dispatcher.start(domain, "policy relay")
        else:
            await self._releaser.release(ReleaseRequest(BY_POLICY, domain.name))

    # SIGHUP

    def _apply(self, config: Config, identity: Identity) -> None:
        """Give every part but the listeners the settings that run from now on."""
        self._dispatcher.settings = config.delivery
        self._reports.settings = config.reports
        self._notices.settings = config.notices
        self._door.limits = door_limits(config.reception, sessions_possible())
        self._flight.limit = config.reception.octets_in_flight_limit
        self._room.reserve = config.reception.disk_reserve
        self._auth_gate.set_limits(config.reception)
        self._releaser.allowance.per_minute = config.reception.releases_per_minute
        self._instruments.certificate_expires_at = identity.expires_at
        bound = [listener.address for listener in self._listeners]
        self._own_addresses[:] = [*bound, *self._metrics_addresses]

    def _on_defect(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what a callback raised; without this it would go to standard error in a form of its own."""
        error = context.get("exception") or RuntimeError(context["message"])
        if "accept" in context["message"] and is_want_of_descriptors(error):
            self._has_accept_failed = (
                True  # said by asyncio's own loop, which tries again in a second
            )
            return
        self._log.failure(Event.INTERNAL_ERROR, error, doing=context["message"])

    def _on_damage(self, number: int, text: str, domain_id: int) -> None:
        """Tell of a message that was parked; what opening the store has met, once the records are read."""
        if self._early_damage is not None:
            self._early_damage.append((number, text, domain_id))
            return
        domain = self._directory.now.domain_by_id(domain_id)
        self._log.write(
            Event.MESSAGE_DAMAGED,
            message=message_name(number),
            domain=domain.name if domain is not None else "",
            account=domain.account if domain is not None else "",
            reason=text,
        )


def _specific(own: Iterable[tuple[str, int]]) -> frozenset[IpAddress]:
    """Return the addresses among those that listeners are bound to; a wildcard is none."""
    return frozenset(
        address for host, _ in own if not (address := peer_address(host)).is_unspecified
    )


def _limits(reception: ReceptionSettings) -> Limits:
    return Limits(
        message_octets=reception.message_size_limit,
        recipients=reception.recipients_limit,
        errors=reception.errors_limit,
        early_commands=reception.early_commands_limit,
        junk_commands=reception.junk_commands_limit,
        refused_recipients=reception.refused_recipients_limit,
    )
