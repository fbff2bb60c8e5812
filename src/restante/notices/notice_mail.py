"""A notice as a message (RFC 5322). A server loads this before it mails its first notice. Pure.

The library that encodes it has half a megabyte.
"""

from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import Final

from restante.mail.received_field import date_time
from restante.notices.wording import as_text, title
from restante.tenancy.notice import Notice

MAX_SUBJECT: Final = 150  # characters of the variable part


def make_mail(notice: Notice, address: str, hostname: str) -> bytes:
    """Return the message, the same on each attempt."""
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
