"""smtp-sink as a destination for which only its behavior matters: counts, delays, refusals."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.peers.eventually import PATIENCE, eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.process_group import ProcessGroup
from tests.acceptance.peers.programs import require

SINK_USER: Final = "nobody"  # smtp-sink refuses to stay root
BACKLOG: Final = "1024"


class SmtpSink:
    """smtp-sink(1) with any of its options.

    "-f", "RCPT" refuses with 5xx; "-r", "DATA" with 4xx; "-q", "." closes; "-Q", "MAIL" says 421;
    "-W", "DATA:2" waits. It announces PIPELINING and no CHUNKING. `with` owns its files; it may be
    started and stopped in between.
    """

    def __init__(
        self,
        *options: str,
        address: str = "127.0.0.1",
        port: int | None = None,
        keep_content: bool = False,
    ) -> None:
        """Prepare a sink without starting it.

        keep_content: write each message to a file, which is far slower than throwing it away.
        """
        self.address = address
        self.port = port or free_port(address)
        self.options = [*options]
        self._keep_content = keep_content
        self._directory = TemporaryDirectory(prefix="restante-sink-")
        self._top = Path(self._directory.name)
        self._user = SINK_USER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._top, self._user)
        self._log = self._top / "log"
        self._processes = ProcessGroup(self._log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._directory.cleanup()

    def start(self) -> None:
        """Start the sink with its count at 0. Return when it answers."""
        self._log.write_bytes(b"")
        keep = ["-d", f"{self._top}/message."] if self._keep_content else []
        listener = f"{self.address}:{self.port}"
        self._processes.start(
            [require("smtp-sink"), "-c", *keep, *self.options, listener, BACKLOG], user=self._user
        )
        eventually(self._answers, what=f"smtp-sink to listen on {listener}")

    def stop(self) -> None:
        """Stop the sink. Return when it has ended."""
        self._processes.stop()

    def count(self) -> int:
        """Return how many messages it has taken since its start."""
        said = re.findall(r"mesg=(\d+)", self._log.read_text(errors="replace"))
        return int(said[-1]) if said else 0

    def messages(self) -> list[bytes]:
        """Return its files: content below fields of its own (X-Mail-Args, X-Rcpt-Args, …)."""
        files = sorted(self._top.glob("message.*"), key=lambda file: file.stat().st_ctime_ns)
        return [
            file.read_bytes().removesuffix(b"\n") for file in files
        ]  # it ends a file with an empty line

    def wait_for(self, count: int, timeout: float = PATIENCE) -> None:
        """Return once at least `count` messages have been taken."""
        eventually(
            lambda: self.count() >= count, what=f"{count} messages at smtp-sink", timeout=timeout
        )

    def _answers(self) -> bool:
        assert self._processes.is_running, (
            f"smtp-sink ended at once: {self._log.read_text(errors='replace')}"
        )
        try:
            socket.create_connection((self.address, self.port), timeout=5).close()
        except (ConnectionError, TimeoutError):
            return False
        return True
