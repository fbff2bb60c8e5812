"""Sends a notice as mail, by the public MX of the address's domain, as reports leave.

See reports/mx_delivery.py. The null reverse-path means that nothing comes back. A failed delivery
is known from the reply, or tried again here. A domain hosted here gets no notices by mail: its mail
would be held, and the notice of that would cause the next one.
"""

import asyncio
from typing import Final

from restante.mail.address import canonical_domain, split_mailbox
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage
from restante.network.late_module import CodeNotLoaded, Load, load_now
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.queue.recipient_status import RecipientMove
from restante.reports.mx_delivery import MxAccess, MxDelivery
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Directory
from restante.tenancy.notice import Notice

NOTICE_MAIL: Final = "restante.notices.notice_mail"
MOST_SECONDS: Final = 600.0  # a host that answers slowly must not keep other channels waiting

_ENDS: Final = {
    RecipientMove.DELIVERED: NoticeResult.SENT,
    RecipientMove.DEFERRED: NoticeResult.NOT_NOW,
}


def is_hosted_here(address: str, directory: Directory, hostname: str) -> bool:
    """Return whether mail to an address would come to this server."""
    domain = canonical_domain(split_mailbox(address).domain)
    return domain in directory.domains or domain == canonical_domain(hostname)


class MailSender:
    """Mails notices."""

    def __init__(
        self,
        directory: LiveDirectory,
        access: MxAccess,
        most_seconds: float = MOST_SECONDS,
        load: Load = load_now,
    ) -> None:
        """`most_seconds` is for a whole attempt. `load` gets NOTICE_MAIL before the first one."""
        self._directory = directory
        self._access = access
        self._most_seconds = most_seconds
        self._load = load

    async def send(
        self, address: str, notice: Notice, *, is_operators: bool = False
    ) -> NoticeAttempt:
        """Mail a notice; an account's only to public addresses. Raises only for defects."""
        hostname = self._access.dialer.hostname
        if is_hosted_here(address, self._directory.now, hostname):
            return NoticeAttempt(
                NoticeResult.REFUSED, "the address is in a domain whose mail is held here"
            )
        try:
            await self._load(NOTICE_MAIL)
        except CodeNotLoaded as error:
            return NoticeAttempt(NoticeResult.NOT_NOW, str(error))
        from restante.notices.notice_mail import make_mail  # noqa: PLC0415  loaded

        content = make_mail(notice, address, hostname)
        envelope = Envelope("", (address,), not content.isascii(), not address.isascii())
        message = HeldMessage(notice.number, 0, envelope, notice.made_at, content, None)
        domain = canonical_domain(split_mailbox(address).domain)
        delivery = MxDelivery(domain, [message], self._access, is_operators=is_operators)
        try:
            async with asyncio.timeout(self._most_seconds):
                await delivery.run()
        except TimeoutError:
            return NoticeAttempt(NoticeResult.NOT_NOW, "its mail host took too long")
        outcome = delivery.outcomes[message.number]
        return NoticeAttempt(_ENDS.get(outcome.move, NoticeResult.REFUSED), outcome.reply)
