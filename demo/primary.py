"""A primary mail server to try things with: it takes every message and tells what came.

    .venv/bin/python demo/primary.py [PORT]

It is aiosmtpd, another program than ours, so that what is shown is not our own word for it.
"""

import sys
import time
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
DEFAULT_PORT = 2526


@dataclass
class Mailbox:
    """Keeps what arrives, and says so if wanted."""

    is_talkative: bool = False
    messages: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message (aiosmtpd calls this by its name)."""
        content = envelope.original_content or b""
        self.messages.append(content)
        if self.is_talkative:
            to = ", ".join(envelope.rcpt_tos)
            print(
                f"--- from <{envelope.mail_from}> to {to}, {len(content)}"
                f" octets\n{content.decode(errors='replace')}",
                flush=True,
            )
        return "250 2.0.0 OK"


class Primary:
    """A primary server on loopback, to be switched on and off."""

    def __init__(self, port: int, *, is_talkative: bool = False) -> None:
        self.mailbox = Mailbox(is_talkative)
        self._controller = Controller(
            self.mailbox, hostname=HOST, port=port, enable_SMTPUTF8=True, decode_data=False
        )

    def start(self) -> None:
        """Be there."""
        self._controller.start()

    def stop(self) -> None:
        """Be away."""
        self._controller.stop()

    def wait_for(self, count: int, seconds: float) -> bool:
        """Wait until so many messages have come; False if they do not."""
        deadline = time.monotonic() + seconds
        while len(self.mailbox.messages) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return len(self.mailbox.messages) >= count


def main() -> None:
    """Run until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PORT
    primary = Primary(port, is_talkative=True)
    primary.start()
    print(f"A primary server is there on {HOST}:{port}. Ctrl-C ends it.", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        primary.stop()


if __name__ == "__main__":
    main()
