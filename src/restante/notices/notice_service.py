"""The parts of this package, connected: for the server, and for the command line alone."""

import asyncio
from collections.abc import Callable

from restante.background.clocks import Clocks
from restante.delivery.delivery_context import DeliveryContext
from restante.network.resolver import MailExchangers
from restante.notices.certificate_watch import CertificateWatch
from restante.notices.last_words import send_unstored
from restante.notices.mail_transport import MailSender
from restante.notices.notice_inbox import NoticeInbox
from restante.notices.notice_sender import NoticeSender
from restante.notices.notice_settings import NoticeSettings
from restante.notices.outbox import Outbox
from restante.notices.push_transport import Pushes
from restante.notices.transports import Transports
from restante.notices.webhook_transport import Webhooks
from restante.reports.report_settings import ReportSettings
from restante.store.duty_store import DutyStore
from restante.store.notice_store import NoticeStore


def make_transports(
    context: DeliveryContext,
    exchangers: MailExchangers,
    settings: Callable[[], NoticeSettings],
    reports: Callable[[], ReportSettings],
) -> Transports:
    """Return all transports of notices; `reports` returns how to reach mail hosts."""

    def timeout() -> float:
        return settings().timeout

    webhooks = Webhooks(context.hostname, context.now, timeout, context.resolver)
    pushes = Pushes(context.hostname, timeout)
    return Transports(
        context.vault, webhooks, MailSender(context, exchangers, reports), pushes, reports
    )


class Notices:
    """The notices of a running server. `transports` are for immediate sending."""

    def __init__(
        self,
        *,
        store: NoticeStore,
        duties: DutyStore,
        context: DeliveryContext,
        exchangers: MailExchangers,
        inbox: NoticeInbox,
        settings: Callable[[], NoticeSettings],
        reports: Callable[[], ReportSettings],
        certificate_expires_at: Callable[[], float],
    ) -> None:
        """`reports` returns how to reach mail hosts, `certificate_expires_at` Unix time."""
        self._inbox, self._directory, self._now = inbox, context.directory, context.now
        self.transports = make_transports(context, exchangers, settings, reports)
        directory, log, now = context.directory, context.log, context.now
        clocks = Clocks(now, context.monotonic)
        self._sender = NoticeSender(
            store=store,
            duties=duties,
            directory=directory,
            sender=self.transports,
            settings=settings,
            log=log,
            clocks=clocks,
        )
        directory.on_change(self._sender.wake)
        self._outbox = Outbox(
            store=store,
            duties=duties,
            inbox=inbox,
            directory=directory,
            settings=settings,
            log=log,
            clocks=clocks,
            on_stored=self._sender.wake,
        )
        self._certificate = CertificateWatch(certificate_expires_at, log, now)

    async def run(self) -> None:
        """Send notices until `close`, and then those of earlier events."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._certificate.run())
            tasks.create_task(self._sender.run())
            await self._outbox.run()
            watching.cancel()
            self._sender.close()
            await send_unstored(self._inbox, self._directory, self.transports, self._now)

    def wake(self) -> None:
        """Send the notices that were just stored."""
        self._sender.wake()

    async def until_stored(self) -> None:
        """Return when all events so far are stored as notices."""
        await self._outbox.until_stored()

    def close(self) -> None:
        """Let `run` return, once past events are stored and running attempts have ended."""
        self._outbox.close()
