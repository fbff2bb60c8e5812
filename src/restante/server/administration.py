"""The administration of a server: its parts, its listeners, and the tasks that serve it.

A server loads this module in a thread while it serves mail already. The module imports most of the
program: the API, the portal, and all their needs.
"""

import socket
from collections.abc import Coroutine, Iterator

from restante.background.rounds import Rounds
from restante.server.admin_parts import AdminParts
from restante.server.build_admin import build_admin
from restante.server.built_parts import MailParts
from restante.server.http_sweep import HttpSweep
from restante.server.reload import listen_places
from restante.telemetry.work_word import WorkWord
from restante.web.control_service import serve_on, serve_shared_on
from restante.web.metrics_service import serve_metrics


class ServerAdministration:
    """Shows the server, and lets operators and customers act."""

    def __init__(self, mail: MailParts, control: socket.socket) -> None:
        """`control` is the control socket. It listens, so clients of the start wait there."""
        self._mail = mail
        self._control = control
        self.parts: AdminParts = build_admin(mail)

    async def listen(self) -> None:
        """Open the listeners of HTTP beside those of mail. Raises OSError."""
        setup, maker = self._mail.ground.setup, self.parts.http.listener_settings
        places = listen_places(setup.config.listen)
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
        yield parts.loop_lag.run()
        yield parts.token_uses.run()
        yield parts.keepers.changes.run()
        yield parts.keepers.proofs.run()
        yield parts.keepers.drills.run()
        yield parts.sessions.run()
        yield HttpSweep(parts.http.connections, parts.http.counts, log).run()
        yield Rounds(log, WorkWord.SCRUB).run_rounds(parts.scrubber.take_round)
        yield Rounds(log, WorkWord.EVENT_FEED).run_rounds(parts.feed.look_at_held)
        # An authority asks at once, and new certificates are for open listeners.
        yield parts.http.orders.run()

    def _serving(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what answers at the control sockets and at the ports of the metrics."""
        context, http, setup = self.parts.context, self.parts.http, self._mail.ground.setup
        yield serve_on(context, self._control, http.control)
        for shared in setup.common_sockets:
            yield serve_shared_on(context, shared, http.control)
        for bound in setup.metrics_sockets:
            yield serve_metrics(context, bound, http.metrics)

    def close(self) -> None:
        """End the followers of events, and traces: they would keep the control socket open."""
        self.parts.feed.close()
        self._mail.reception.traces.close()

    async def until_idle(self) -> None:
        """Wait until no request of the web is under way."""
        await self.parts.http.web.until_none_busy()
