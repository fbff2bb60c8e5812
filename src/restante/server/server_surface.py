"""The running server as administration sees it: the parts that the control socket and web use."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from restante.admin.admin_context import (
    OpenListener,
    ScrubFacts,
    ServerVitals,
)
from restante.admin.configuration_state import ConfigurationState
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.drain_state import DrainSnapshot
from restante.delivery.watcher import Watcher
from restante.network.tls_context import oldest_version
from restante.notices.notice_service import NoticeService
from restante.queue.presence import WatchedDestination
from restante.reception.listeners import AnyListener
from restante.release.release_outcome import ReleaseOutcome
from restante.release.release_request import ReleaseRequest, requested_by
from restante.release.releaser import Releaser
from restante.reports.report_sender import ReportSender
from restante.server.domain_instruments import DomainInstruments
from restante.server.server_instruments import ServerInstruments
from restante.telemetry.event_counts import Counts
from restante.telemetry.metric_types import Exposition
from restante.tenancy.model import Destination
from restante.tenancy.principal import Principal


@dataclass(frozen=True, slots=True)
class RunningServer:
    """The `ServerSurface` of `admin/admin_context`, by the parts of the running server."""

    releaser: Releaser
    dispatcher: Dispatcher
    watcher: Watcher
    reports: ReportSender
    notices: NoticeService
    listeners_open: Iterable[AnyListener]  # in the order in which they are configured
    counts: Counts
    instruments: ServerInstruments
    domain_instruments: DomainInstruments
    configuration_state: Callable[[], Awaitable[ConfigurationState]]

    async def release(self, target: str, principal: Principal, reason: str) -> ReleaseOutcome:
        """Release without a login and a host, within what the principal sees."""
        request = ReleaseRequest(requested_by(principal), target, reason)
        return await self.releaser.release(request)

    async def release_messages(
        self, domain: str, names: str, principal: Principal, reason: str
    ) -> ReleaseOutcome:
        """Hand over single messages of a domain that the principal sees."""
        request = ReleaseRequest(requested_by(principal), names, reason, domain=domain)
        return await self.releaser.release_messages(request)

    def drains(self) -> Iterator[DrainSnapshot]:
        """Yield the drains that run or wait."""
        return self.dispatcher.drains()

    def drain_of(self, domain_id: int) -> DrainSnapshot | None:
        """Return a view of a domain's drain."""
        return self.dispatcher.drain_of(domain_id)

    def is_draining(self, domain_id: int) -> bool:
        """Tell whether a domain has a drain."""
        return self.dispatcher.is_draining(domain_id)

    def listeners(self) -> Sequence[OpenListener]:
        """List the listeners."""
        return [
            OpenListener(
                listener.service,
                listener.address_text,
                oldest_version(listener.settings.tls) if listener.settings.tls else "",
                listener.sessions,
            )
            for listener in self.listeners_open
        ]

    async def configuration(self) -> ConfigurationState:
        """Return the result of the last reload, and how the file differs from it now."""
        return await self.configuration_state()

    def vitals(self) -> ServerVitals:
        """Return the room for mail, who was turned away, and how long the certificate is valid."""
        return self.instruments.vitals()

    def scrub(self) -> ScrubFacts:
        """Say how the scrub of the store stands."""
        return self.instruments.scrub()

    def sighting(self, destination: Destination) -> WatchedDestination | None:
        """Return what probes have shown of a destination."""
        return self.watcher.sighting(destination)

    async def metrics(self, accept: str) -> Exposition:
        """Return every metric as it is now."""
        from restante.telemetry.exposition import expose  # noqa: PLC0415  loaded with the API

        exposition = expose(self.counts, await self.instruments.read(), accept)
        return await self.domain_instruments.added_to(exposition)

    def send_reports(self) -> None:
        """See to the reports that were stored."""
        self.reports.wake()

    def send_notices(self) -> None:
        """See to the notices that were stored."""
        self.notices.wake()

    async def stop_drain(self, domain_id: int, reason: str) -> bool:
        """End a domain's drain; its mail stays held."""
        return await self.dispatcher.stop(domain_id, reason)

    def drain_held_off(self, domain_id: int) -> AbstractAsyncContextManager[bool]:
        """Let no mail of a domain leave during the block."""
        return self.dispatcher.held_off(domain_id)
