"""Postfix as a backup MX: Debian's programs and master.cf, its own configuration and queue.

It has the settings that are best for it: no delay of its own (in_flow_delay), limits above the
bench's connections, no look-ups in DNS. All others are the defaults, with a sync before 250. It
keeps mail in either of the ways that Postfix has:

- deferring (`defer_transports`, `fast_flush_domains`), which Postfix documents for ETRN;
- holding (`HOLD`): mail is queued and not examined. That costs it least, and ETRN does not
  release it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.domains import HOST, OTHER, domain
from bench.servers.server import Held, StockServer
from tests.acceptance.installation import ServerProcess
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import KeyPair

MESSAGE_SIZE_LIMIT: Final = 60_000_000
SETTLING_SECONDS: Final = 600

FAIRNESS: Final = {
    "in_flow_delay": "0",
    "default_process_limit": "1200",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "message_size_limit": str(MESSAGE_SIZE_LIMIT),
    "relay_domains": f"{domain()}, {OTHER}",
    "relay_recipient_maps": "",
}
DEFERS: Final = {
    "defer_transports": "relay",
    "fast_flush_domains": "$relay_domains",
    "queue_run_delay": "3600s",  # deferred mail waits for ETRN, however long a run takes
    "minimal_backoff_time": "3600s",
    "maximal_backoff_time": "7200s",
}
HOLDS: Final = {"smtpd_recipient_restrictions": "check_recipient_access static:HOLD, permit"}


class _Primary(PostfixPrimary):
    """The tests' Postfix, of which the bench wants to know more."""

    def __init__(self, settings: dict[str, str], port: int | None) -> None:
        super().__init__([], port=port, settings=settings)
        self._processes: ServerProcess = ServerProcess(self.log_path)

    @property
    def pid(self) -> int:
        return self._processes.pid

    @property
    def queue(self) -> Path:
        return self._top / "queue"


class PostfixServer(StockServer):
    """One Postfix, in one of its two ways."""

    def __init__(
        self,
        name: str,
        *,
        holds: bool = False,
        destination_port: int = 0,
        keys: KeyPair | None = None,
        port: int = 0,
    ) -> None:
        """With `holds` it only queues mail. Otherwise ETRN sends its mail to `destination_port`."""
        self.name = name
        relay = {"relay_transport": f"relay:[{HOST}]:{destination_port}"}
        settings = FAIRNESS | relay | (HOLDS if holds else DEFERS)
        self._postfix = _Primary(settings, port or None)
        super().__init__(self._postfix, keys)
        self._where = "hold" if holds else "deferred"

    def _queue_files(self) -> Iterator[Path]:
        for queue in ("maildrop", "incoming", "active", "deferred", "defer", "hold", "flush"):
            yield from self._files(queue)

    def held(self) -> Held:
        """Count the files of its queue."""
        sizes = [file.stat().st_size for file in self._files(self._where)]
        return Held(len(sizes), sum(sizes))

    def held_now(self) -> int:
        """Count them without a look at each."""
        return sum(1 for _ in self._files(self._where))

    def settle(self) -> None:
        """Wait until nothing is on its way through the queues."""
        eventually(
            lambda: not self._is_moving(), what="Postfix to come to rest", timeout=SETTLING_SECONDS
        )

    def _is_moving(self) -> bool:
        return any(True for queue in ("maildrop", "incoming", "active") for _ in self._files(queue))

    def _files(self, queue: str) -> list[Path]:
        """List a queue's files. Its directories come and go while we look."""
        found: list[Path] = []
        for directory, _, names in os.walk(self._postfix.queue / queue):
            with contextlib.suppress(FileNotFoundError):
                found += [Path(directory, name) for name in names]
        return found
