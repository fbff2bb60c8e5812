"""`make recording`: run `restante top` beside a server that hands mail over, and draw its screens.

    PYTHONPATH=demo python -m record_top docs/pictures/top.svg

The server, the mail and the primaries are real. A person's part is played: mail is released after
some seconds, and a key ends the program.
"""

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from command import RESTANTE, restante, serving
from primary import HOST, Mailbox, Primary

from demo import configure, free_port, ports
from tools.terminal_svg import Screen, Shown, as_svg

COLUMNS, ROWS = 100, 14
SECONDS = 16.0
HELD = {"shop.example": 420, "clinic.example": 90, "club.example": 12}
RELEASES = {2.5: "shop.example", 4.5: "clinic.example"}  # at these seconds
PAUSE = 0.05  # seconds that a primary takes for a message
TITLE = "restante top: two domains get their held mail, with rates and remaining times"


class UnhurriedMailbox(Mailbox):
    """Takes a message as slowly as a filter does."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message after a while."""
        await asyncio.sleep(PAUSE)
        return await super().handle_DATA(server, session, envelope)


class UnhurriedPrimary(Primary):
    """A primary with such a mailbox."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.mailbox = self._controller.handler = UnhurriedMailbox()


def fill(config: Path, directory: Path, destinations: dict[str, str]) -> None:
    """Add the domains, and let the mail of an outage be held for them."""
    restante(config, "key", "confirm-copied", str(directory / "restante.key"))
    restante(config, "account", "add", "sample")
    for domain, destination in destinations.items():
        where = ("--account", "sample", "--destination", destination, "--allow", HOST)
        restante(config, "domain", "add", domain, *where, "--connections", "2")
        box = directory / domain
        box.mkdir()
        for number in range(HELD[domain]):
            text = f"Subject: {number}\n\n{'A line of a letter.' * 40}\n"
            (box / f"{number}.eml").write_text(text)
        who = ("--reverse-path", "someone@elsewhere.example", "--to", f"you@{domain}")
        restante(config, "queue", "import", "--format", "eml", *who, str(box))


def record(config: Path) -> list[Shown]:
    """Run the program on a terminal, and return its screens as they change."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    command = [RESTANTE, "--config", config, "top"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    try:
        return list(_screens(master, config))
    finally:
        program.terminate()
        program.wait()
        os.close(master)


def _screens(master: int, config: Path) -> list[Shown]:
    screen, shown, output = Screen(COLUMNS, ROWS), [], b""
    waiting, started = dict(RELEASES), None
    while started is None or time.monotonic() - started < SECONDS:
        if select.select([master], [], [], 0.1)[0]:
            output += os.read(master, 65536)
            continue
        if output:  # the program has paused, so no sequence is cut
            screen.feed(output.decode())
            output = b""
            started = started or time.monotonic()
            if not shown or shown[-1].lines != screen.lines:
                shown.append(Shown(time.monotonic() - started, screen.lines))
        for at in [at for at in waiting if started and time.monotonic() - started >= at]:
            restante(config, "release", waiting.pop(at))
    os.write(master, b"q")
    return shown


def main() -> int:
    """Record it, and write the picture to the path that is given."""
    with tempfile.TemporaryDirectory(prefix="restante-recording-") as name:
        directory = Path(name)
        config, _ = configure(directory)
        here, there = free_port(), free_port()
        primaries = [UnhurriedPrimary(here), UnhurriedPrimary(there)]
        for primary in primaries:
            primary.start()
        away = f"{HOST}:{free_port()}"
        places = (f"{HOST}:{here}", f"{HOST}:{there}", away)
        with serving(config, directory / "server.log"):
            ports(config)
            fill(config, directory, dict(zip(HELD, places, strict=True)))
            shown = record(config)
        for primary in primaries:
            primary.stop()
    target = Path(sys.argv[1])
    target.write_text(as_svg(TITLE, shown), encoding="utf-8")
    print(f"{len(shown)} screens are in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
