"""The parts of this package, connected: for the server, and for the command line alone."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restante.background.clocks import Clocks
from restante.network.late_module import Load, load_now
from restante.network.resolver import Resolver
from restante.network.served_certificate import ServedCertificate
from restante.notices.certificate_watch import CertificateWatch
from restante.notices.mail_transport import MailSender
from restante.notices.notice_inbox import NoticeInbox
from restante.notices.notice_sender import NoticeSender
from restante.notices.notice_settings import NoticeSettings
from restante.notices.outbox import Outbox
from restante.notices.push_transport import PushTransport
from restante.notices.transports import ChannelSender, Transports
from restante.notices.unstored_notices import send_unstored
from restante.notices.webhook_transport import WebhookTransport
from restante.reports.mx_delivery import MxAccess
from restante.store.duty_store import DutyStore
from restante.store.live_directory import LiveDirectory
from restante.store.notice_store import NoticeStore
from restante.telemetry.event_bus import Log
from restante.tenancy.sealed_secrets import Vault


def make_transports(
    vault: Vault,
    directory: LiveDirectory,
    access: MxAccess,
    resolver: Resolver,
    *,
    settings: Callable[[], NoticeSettings],
    now: Callable[[], float],
    load: Load = load_now,
) -> Transports:
    """Return all transports of notices. `access` is the way of mail, `now` is Unix time."""
    hostname = access.dialer.hostname

    def timeout() -> float:
        return settings().timeout

    webhooks = WebhookTransport(hostname, now, timeout, resolver, load=load)
    mails = MailSender(directory, access, load=load)
    pushes = PushTransport(hostname, timeout)
    return Transports(vault, webhooks, mails, pushes, access.settings)


@dataclass(frozen=True, slots=True)
class NoticePorts:
    """The ports of the store that notices need."""

    notices: NoticeStore
    duties: DutyStore


class NoticeService:
    """The notices of a running server."""

    def __init__(
        self,
        ports: NoticePorts,
        directory: LiveDirectory,
        sender: ChannelSender,
        inbox: NoticeInbox,
        *,
        settings: Callable[[], NoticeSettings],
        log: Log,
        clocks: Clocks,
        certificates: Callable[[], Sequence[ServedCertificate]],
    ) -> None:
        """`certificates` returns those in use."""
        self._inbox, self._directory, self._now = inbox, directory, clocks.now
        self._transports = sender
        self._sender = NoticeSender(
            store=ports.notices,
            duties=ports.duties,
            directory=directory,
            sender=sender,
            settings=settings,
            log=log,
            clocks=clocks,
        )
        directory.on_change(self._sender.wake)
        self._outbox = Outbox(
            store=ports.notices,
            duties=ports.duties,
            inbox=inbox,
            directory=directory,
            settings=settings,
            log=log,
            clocks=clocks,
            on_stored=self._sender.wake,
        )
        self._certificate = CertificateWatch(certificates, log, clocks.now)

    async def run(self) -> None:
        """Send notices until `close`, and then those of earlier events."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._certificate.run())
            tasks.create_task(self._sender.run())
            await self._outbox.run()
            watching.cancel()
            self._sender.close()
            await send_unstored(self._inbox, self._directory, self._transports, self._now)

    def wake(self) -> None:
        """Send the notices that were just stored."""
        self._sender.wake()

    async def until_stored(self) -> None:
        """Return when all events so far are stored as notices."""
        await self._outbox.until_stored()

    def close(self) -> None:
        """Let `run` return, once past events are stored and running attempts have ended."""
        self._outbox.close()
