"""Checks hourly how long the server's certificates are valid."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.network.served_certificate import ServedCertificate
from restante.telemetry.event_bus import Log
from restante.telemetry.events import CertificateExpiring
from restante.telemetry.work_word import WorkWord

LOOK_SECONDS: Final = 3600.0
STEPS: Final = (0, 1, 3, 7, 14)  # days
HOSTS_TOLD: Final = 10  # of one certificate
_DAY: Final = 86400.0


def expiry_step_due(expires_at: float, now: float) -> int | None:
    """Return the smallest step that the end is within, 0 if it has passed; None if it is far."""
    left = expires_at - now
    if left <= 0:
        return 0
    return next((days for days in STEPS[1:] if left <= days * _DAY), None)


class CertificateWatch:
    """Reports each step once for each certificate."""

    def __init__(
        self,
        served: Callable[[], Sequence[ServedCertificate]],
        log: Log,
        now: Callable[[], float],
        wait: Wait = wait_at_most,
    ) -> None:
        """`served` returns the certificates in use; `now` is Unix time."""
        self._served = served
        self._log = log
        self._now = now
        self._rounds = Rounds(log, WorkWord.CERTIFICATE, wait)
        self._told: dict[ServedCertificate, int | None] = {}

    async def run(self) -> None:
        """Check now and every hour, until cancelled."""
        await self._rounds.run_rounds(self._take_round)

    async def _take_round(self) -> float:
        self.look()
        return LOOK_SECONDS

    def look(self) -> None:
        """Check once."""
        now = self._now()
        steps = {one: expiry_step_due(one.expires_at, now) for one in self._served()}
        for one, step in steps.items():
            if step is not None and self._told.get(one) != step:
                ends = datetime.fromtimestamp(one.expires_at, UTC).isoformat(timespec="seconds")
                ends = ends.replace("+00:00", "Z")
                self._log.publish(
                    CertificateExpiring(days=step, ends=ends, hosts=one.hosts[:HOSTS_TOLD])
                )
        self._told = steps
