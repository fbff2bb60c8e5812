"""The message of a drill. Pure.

Its reverse-path is null, and it says that no program should answer (RFC 3834 §5). So nobody gets a
report or an automatic reply, whatever happens to it.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime


@dataclass(frozen=True, slots=True)
class DrillMessage:
    """One message. `token` is in the subject, and its Message-ID is like no other."""

    token: str
    domain: str
    hostname: str  # ours
    recipient: str
    at: datetime  # UTC

    @property
    def message_id(self) -> str:
        """Return its Message-ID, with brackets."""
        return f"{drill_id_start(self.token)}{self.hostname}>"

    @property
    def content(self) -> bytes:
        """Return header and body, with CRLF."""
        lines = (
            f"Date: {format_datetime(self.at)}",
            f"From: Restante <postmaster@{self.hostname}>",
            f"To: <{self.recipient}>",
            f"Subject: Restante drill {self.token}",
            f"Message-ID: {self.message_id}",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"This is a drill of the backup mail server {self.hostname} for {self.domain}.",
            "It was accepted and held there, and then handed over to this server.",
            "Nobody has to answer or to keep it.",
            "",
        )
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def drill_id_start(token: str) -> str:
    """Return the Message-ID of the drill with a token, up to the name of its server."""
    return f"<drill.{token}@"
