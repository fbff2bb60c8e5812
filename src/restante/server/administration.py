"""The administration of a server: its listeners, and the tasks that serve it.

A server loads this module in a thread while it serves mail already. The parts that act are built at
their first need (`late_admin`). The API is loaded for the first client of the control socket, and
the portal with it for a listener of HTTP (`late_code`).
"""

import socket
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Final

from restante.background.rounds import Rounds
from restante.server.build_upkeep import build_upkeep
from restante.server.built_parts import MailParts
from restante.server.http_sweep import HttpSweep
from restante.server.late_control import serve_late
from restante.server.reload import listen_places
from restante.server.upkeep_parts import UpkeepParts
from restante.telemetry.work_word import WorkWord
from restante.web.control_socket import removed_at_end

CONTROL_MODULE: Final = "restante.web.control_service"
METRICS_MODULE: Final = "restante.web.metrics_service"


class ServerAdministration:
    """Shows the server, and lets operators and customers act."""

    def __init__(self, mail: MailParts, control: socket.socket) -> None:
        """`control` is the control socket. It listens, so clients of the start wait there."""
        self._mail = mail
        self._control = control
        self._late = mail.ground.late
        self.parts: UpkeepParts = build_upkeep(mail)

    async def listen(self) -> None:
        """Open the listeners of HTTP beside those of mail. Raises OSError, CodeNotLoaded."""
        setup, maker = self._mail.ground.setup, self.parts.http.listener_settings
        places = listen_places(setup.config.listen)
        await self.parts.prepare(setup.config)
        if setup.metrics_sockets:
            await self._late.load(METRICS_MODULE)
            await self.parts.admin.parts()
        await self._mail.reception.listeners.begin(
            [
                (place, bound)
                for (place, listen), bound in zip(
                    places.items(), setup.listener_sockets, strict=True
                )
                if listen.is_http
            ],
            lambda place: maker.settings(setup.config, places[place], setup.identity),
            in_order=list(places),
        )

    def work(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what runs until it is cancelled."""
        parts, log = self.parts, self._mail.ground.setup.log
        yield from self._serving()
        yield parts.admin.run()
        yield parts.keepers.run()
        yield parts.loop_lag.run()
        yield HttpSweep(parts.http.connections, parts.http.counts, log).run()
        yield Rounds(log, WorkWord.SCRUB).run_rounds(parts.scrubber.take_round)
        # An authority asks at once, and new certificates are for open listeners.
        yield parts.http.orders.run()

    def _serving(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what answers at the control sockets and at the ports of the metrics."""
        setup = self._mail.ground.setup
        yield self._serve_own_control()
        for shared in setup.common_sockets:
            yield self._serve_control(shared)
        for bound in setup.metrics_sockets:
            yield self._serve_metrics(bound)

    async def _serve_own_control(self) -> None:
        with removed_at_end(self._control):
            await self._serve_control(self._control)

    async def _serve_control(self, listener: socket.socket) -> None:
        answer, log = partial(self._answer_control, listener), self._mail.ground.setup.log
        await serve_late(listener, self._load_control, answer, log)

    async def _load_control(self) -> None:
        """Have all code of the API loaded. Raises CodeNotLoaded."""
        await self._late.load(CONTROL_MODULE)
        await self.parts.admin.parts()

    async def _answer_control(self, listener: socket.socket) -> None:
        from restante.web.control_service import serve_on  # noqa: PLC0415  heavy

        administration = await self.parts.admin.parts()
        await serve_on(administration.context, listener, self.parts.http.control)

    async def _serve_metrics(self, bound: socket.socket) -> None:
        from restante.web.metrics_service import serve_metrics  # noqa: PLC0415  heavy

        administration = await self.parts.admin.parts()
        await serve_metrics(administration.context, bound, self.parts.http.metrics)

    def close(self) -> None:
        """End the followers of events, and traces: they would keep the control socket open."""
        self.parts.admin.close()
        self._mail.reception.traces.close()

    async def until_idle(self) -> None:
        """Wait until no request of the web is under way."""
        await self.parts.http.web.until_none_busy()
