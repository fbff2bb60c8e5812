"""Sends a notice as mail, by the public MX of the address's domain, as reports leave.

See reports/mx_delivery.py. The null reverse-path means that nothing comes back. A failed delivery
is known from the reply, or tried again here. A domain hosted here gets no notices by mail: its mail
would be held, and the notice of that would cause the next one.
"""

import asyncio
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import Final

from restante.mail.address import canonical_domain, split_mailbox
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage
from restante.mail.received_field import date_time
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.wording import as_text, title
from restante.queue.recipient_status import RecipientMove
from restante.reports.mx_delivery import MxAccess, MxDelivery
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Directory
from restante.tenancy.notice import Notice

MAX_SUBJECT: Final = 150  # characters of the variable part
MOST_SECONDS: Final = 600.0  # a host that answers slowly must not keep other channels waiting

_ENDS: Final = {
    RecipientMove.DELIVERED: NoticeResult.SENT,
    RecipientMove.DEFERRED: NoticeResult.NOT_NOW,
}


def is_hosted_here(address: str, directory: Directory, hostname: str) -> bool:
    """Return whether mail to an address would come to this server."""
    domain = canonical_domain(split_mailbox(address).domain)
    return domain in directory.domains or domain == canonical_domain(hostname)


def make_mail(notice: Notice, address: str, hostname: str) -> bytes:
    """Return a notice as a message (RFC 5322), the same on each attempt. Pure."""
    mail = EmailMessage(policy=SMTP if address.isascii() else SMTPUTF8)
    mail["From"] = f"Restante <postmaster@{hostname}>"
    mail["To"] = f"<{address}>"
    mail["Subject"] = f"[restante] {title(notice)[:MAX_SUBJECT]}"
    mail["Date"] = date_time(int(notice.made_at))
    mail["Message-ID"] = f"<{notice.key}@{hostname}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    # Always ASCII: left to itself, the library sends short lines as 8bit.
    mail.set_content(as_text(notice, hostname), cte="quoted-printable")
    return mail.as_bytes()


class MailSender:
    """Mails notices."""

    def __init__(
        self,
        directory: LiveDirectory,
        access: MxAccess,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        """`most_seconds` is for a whole attempt."""
        self._directory = directory
        self._access = access
        self._most_seconds = most_seconds

    async def send(
        self, address: str, notice: Notice, *, is_operators: bool = False
    ) -> NoticeAttempt:
        """Mail a notice; an account's only to public addresses. Raises only for defects."""
        hostname = self._access.dialer.hostname
        if is_hosted_here(address, self._directory.now, hostname):
            return NoticeAttempt(
                NoticeResult.REFUSED, "the address is in a domain whose mail is held here"
            )
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
