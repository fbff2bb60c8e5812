"""Once in a while: log the HTTP connections that were cut off, and the requests refused."""

from collections.abc import Sequence

from restante.background.rounds import Rounds
from restante.reception.listener import SWEEP_SECONDS
from restante.telemetry.event_bus import Log
from restante.telemetry.events import HttpConnectionsCut, HttpRequestsRefused
from restante.telemetry.work_word import WorkWord
from restante.web.http_connections import HttpConnections
from restante.web.request_counts import RequestCounts


class HttpSweep:
    """Reports those that nobody else reports one by one."""

    def __init__(
        self, connections: Sequence[HttpConnections], counts: RequestCounts, log: Log
    ) -> None:
        """`connections` are those of each service."""
        self._connections = connections
        self._counts = counts
        self._log = log
        self._rounds = Rounds(log, WorkWord.SWEEP, after_failure=SWEEP_SECONDS)

    async def run(self) -> None:
        """Sweep until cancelled."""
        await self._rounds.run_rounds(self._sweep)

    async def _sweep(self) -> float:
        for connections in self._connections:
            for cause, count in connections.take_closed().items():
                self._log.publish(
                    HttpConnectionsCut(service=connections.service.value, count=count, cause=cause)
                )
        for refusal, refused in self._counts.take_refused().items():
            self._log.publish(
                HttpRequestsRefused(count=refused.count, cause=refusal, peer=refused.address)
            )
        return SWEEP_SECONDS
