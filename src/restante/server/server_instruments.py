"""Values that the metrics read from the server's parts at each request."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from restante import __version__
from restante.admin.admin_context import DoorFacts, ScrubFacts, ServerVitals
from restante.delivery.drain_state import DrainCensus
from restante.network.served_certificate import ServedCertificate, first_end
from restante.queue.sending_outcome import Backlog
from restante.reception.disk_space import DiskSpace
from restante.reception.doorkeeper import Doorkeeper
from restante.reception.intake import Intake
from restante.reception.memory_budget import MemoryBudget
from restante.retention.age_clock import ClockDoubt
from restante.store.figure_store import NONE_SET_APART, SetApart
from restante.store.interface import Store
from restante.store.scrubber import Scrubber
from restante.store.store_errors import StoreError
from restante.telemetry.loop_lag import LoopLag
from restante.telemetry.metric_types import State, WebRequestFigures
from restante.telemetry.process_figures import look_at_process
from restante.web.request_counts import RequestCounts


@dataclass(frozen=True, slots=True)
class ReceptionGauges:
    """The parts of reception that are read."""

    door: Doorkeeper
    memory_budget: MemoryBudget
    intake: Intake
    disk_space: DiskSpace
    sessions: Callable[[], Counter[str]]  # open ones by service


@dataclass(frozen=True, slots=True)
class ProcessGauges:
    """The parts that are read about the process as a whole."""

    started_at: float  # Unix time
    certificates: Callable[[], Sequence[ServedCertificate]]  # in use
    loop_lag: LoopLag
    web_requests: RequestCounts  # of the `web` listeners
    clock_doubt: Callable[[], ClockDoubt | None]
    trace_spans_dropped: Callable[[], int] = int  # without traces: 0
    log_failure: Callable[[], str] = str  # why its place takes no lines; "" if it does

    @property
    def web_figures(self) -> WebRequestFigures:
        """The requests to the `web` listeners."""
        counts = self.web_requests
        return WebRequestFigures(counts.ended, counts.seconds, counts.running)


@dataclass(frozen=True, slots=True)
class ServerInstruments:
    """The parts that are read. No cost here grows with the amount of held mail."""

    store: Store
    scrubber: Scrubber
    drains: Callable[[], DrainCensus]
    reception: ReceptionGauges
    process: ProcessGauges
    now: Callable[[], float]  # Unix time

    async def read(self) -> State:
        """Read all of them. Asks the store five questions; if it fails, omits the answers."""
        usage = self.store.figures.usage_of_all()
        drains, reception, process = self.drains(), self.reception, self.process
        parked = await self._set_apart()
        return State(
            held_messages=usage.held,
            refused_messages=usage.refused - (parked.unheld if parked else 0),
            uncertain_messages=parked.uncertain if parked else None,
            stored_octets=usage.octets,
            domains_with_mail=len(self.store.figures.usages()),
            oldest_message_age=await self._oldest_age(),
            sessions_open=reception.sessions(),
            sessions_unauthenticated=reception.door.strangers,
            sessions_ended=reception.door.ended,
            octets_in_flight=reception.memory_budget.now,
            batches_held=reception.intake.batches,
            batch_seconds=reception.intake.seconds,
            drains=Counter({state.value: count for state, count in drains.states.items()}),
            delivery_connections=drains.connections,
            disk_free=reception.disk_space.free,
            disk_reserve=reception.disk_space.reserve,
            is_room_short=reception.disk_space.is_short,
            is_store_away=bool(self.store.upkeep.absence),
            are_objects_away=bool(self.store.upkeep.content_absence),
            nodes=await self._nodes(),
            is_mail_at_risk=bool(self.store.nodes.risk),
            clock_offset=self.store.nodes.clock_offset,
            damaged_messages=parked.damaged if parked else None,
            scrubbed_at=self.scrubber.last_ended_at or 0.0,
            reports_waiting=await self._waiting(self.store.reports.report_backlog),
            notices_waiting=await self._waiting(self.store.notices.notice_backlog),
            trace_spans_dropped=process.trace_spans_dropped(),
            certificate_expires_at=first_end(process.certificates()),
            started_at=process.started_at,
            version=__version__,
            process=look_at_process(),
            loop_lag=process.loop_lag.longest(),
            web_requests=process.web_figures,
        )

    def vitals(self) -> ServerVitals:
        """Return the room for mail, who was turned away, and how long the certificate is valid."""
        doubt, room, door = (
            self.process.clock_doubt(),
            self.reception.disk_space,
            self.reception.door,
        )
        vitals = ServerVitals(
            room.is_short,
            first_end(self.process.certificates()),
            free_octets=room.free,
            disk_reserve=room.reserve,
            door=DoorFacts(door.sessions, door.limits.in_all, dict(door.shed)),
            log_failure=self.process.log_failure(),
        )
        if doubt is None:
            return vitals
        return replace(vitals, clock_leap=doubt.leap, clock_trusted_from=doubt.trusted_from)

    def scrub(self) -> ScrubFacts:
        """Return the state of the scrub of the store."""
        walk = self.scrubber.walk
        is_under_way = walk is not None and walk.ended_at is None
        messages = walk.messages if walk is not None else 0
        return ScrubFacts(self.scrubber.last_ended_at, is_under_way, messages)

    async def _oldest_age(self) -> float | None:
        try:
            oldest = await self.store.figures.oldest()
        except StoreError:
            return None
        return max(0.0, self.now() - min(oldest.values())) if oldest else 0.0

    async def _set_apart(self) -> SetApart | None:
        try:
            found = await self.store.figures.set_apart()
        except StoreError:
            return None
        return SetApart(*map(sum, zip(NONE_SET_APART, *found.values(), strict=True)))

    async def _nodes(self) -> Counter[str] | None:
        try:
            found = await self.store.nodes.nodes()
        except StoreError:
            return None
        return Counter(one.state.value for one in found) if found else None

    async def _waiting(self, ask: Callable[[], Awaitable[Backlog]]) -> int | None:
        try:
            return (await ask()).count
        except StoreError:
            return None
