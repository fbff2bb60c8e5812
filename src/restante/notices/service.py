"""The parts of this package, wired: what the server runs, and what the command line alone needs."""

import asyncio
from collections.abc import Callable

from restante.delivery.equipment import Equipment
from restante.network.resolver import MailExchangers
from restante.notices.certificate import CertificateWatch
from restante.notices.courier import Courier
from restante.notices.letter import Letters
from restante.notices.news_desk import NewsDesk
from restante.notices.outbox import Outbox
from restante.notices.settings import NoticeSettings
from restante.notices.ways import Sender, Ways
from restante.notices.webhook import Webhooks
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.telemetry.log import Log


def make_ways(
    equipment: Equipment, exchangers: MailExchangers, settings: Callable[[], NoticeSettings], port: Callable[[], int]
) -> Ways:
    """Return every way by which a notice can leave; `port` is where mail hosts listen."""
    webhooks = Webhooks(equipment.hostname, equipment.now, lambda: settings().timeout)
    return Ways(equipment.vault, webhooks, Letters(equipment, exchangers, port))


class Notices:
    """Everything about notices that a server runs."""

    def __init__(
        self,
        *,
        store: Store,
        directory: LiveDirectory,
        desk: NewsDesk,
        sender: Sender,
        settings: NoticeSettings,
        log: Log,
        now: Callable[[], float],
        certificate_expires_at: Callable[[], float],
    ) -> None:
        """`now` and `certificate_expires_at` are Unix time."""
        self.settings = settings  # replaced on reload
        self._courier = Courier(
            store=store, directory=directory, sender=sender, settings=lambda: self.settings, log=log, now=now
        )
        self._outbox = Outbox(
            store=store,
            desk=desk,
            directory=directory,
            settings=lambda: self.settings,
            log=log,
            now=now,
            on_stored=self._courier.wake,
        )
        self._certificate = CertificateWatch(certificate_expires_at, log, now)

    async def run(self) -> None:
        """Tell of what happens until `close`, and then of what has."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._certificate.run())
            tasks.create_task(self._courier.run())
            await self._outbox.run()
            watching.cancel()
            self._courier.close()

    def close(self) -> None:
        """Let `run` return, once what has happened is stored and the attempts that run have ended."""
        self._outbox.close()
