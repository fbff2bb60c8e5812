"""Exim as a backup MX that only accepts mail: Debian's program, `queue_only`, no queue runner.

It has its own directory tree and the settings that are best for it: limits above the bench's
connections, and a split spool directory. It has TLS only where TLS is measured, because it would
make a key for each connection. It waits 200 ms at QUIT, so only kept connections are measured.
"""

import os
from pathlib import Path
from typing import Final

from bench.domains import OTHER, domain
from bench.servers.postfix import MESSAGE_SIZE_LIMIT
from bench.servers.server import Held, StockServer
from tests.acceptance.installation import ServerProcess
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.primary import KeyPair

SETTINGS: Final = {
    "queue_only": "true",
    "split_spool_directory": "true",
    "smtp_accept_max": "0",
    "smtp_accept_max_per_connection": "0",
    "smtp_connect_backlog": "1024",
    "message_size_limit": str(MESSAGE_SIZE_LIMIT),
}


class _Primary(EximPrimary):
    """The tests' Exim, of which the bench wants to know more, and which is to deliver nothing."""

    def __init__(self) -> None:
        super().__init__([domain(), OTHER], settings=SETTINGS)
        self._processes: ServerProcess = ServerProcess(self.log_path)

    @property
    def pid(self) -> int:
        return self._processes.pid

    @property
    def spool(self) -> Path:
        return self._top / "var/spool/exim4"

    def _configure(self) -> list[str | Path]:
        return [word for word in super()._configure() if word != "-q10s"]


class EximServer(StockServer):
    """One Exim."""

    name = "Exim"

    def __init__(self, keys: KeyPair) -> None:
        """`keys` are for when it offers TLS."""
        self._exim = _Primary()
        super().__init__(self._exim, keys)

    def held(self) -> Held:
        """Count the messages in its spool by their header files."""
        files = self._queue_files()
        headers = sum(file.name.endswith("-H") for file in files)
        return Held(headers, sum(file.stat().st_size for file in files))

    def _queue_files(self) -> list[Path]:
        tops = [self._exim.spool / kind for kind in ("input", "msglog")]
        return [
            Path(where, name) for top in tops for where, _, names in os.walk(top) for name in names
        ]
