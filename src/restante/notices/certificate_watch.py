"""Checks hourly how long the server's certificate is valid."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.telemetry.event_bus import Log
from restante.telemetry.events import CertificateExpiring
from restante.telemetry.work_word import WorkWord

LOOK_SECONDS: Final = 3600.0
STEPS: Final = (0, 1, 3, 7, 14)  # days
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
        expires_at: Callable[[], float],
        log: Log,
        now: Callable[[], float],
        wait: Wait = wait_at_most,
    ) -> None:
        """`expires_at` and `now` are Unix time."""
        self._expires_at = expires_at
        self._log = log
        self._now = now
        self._rounds = Rounds(log, WorkWord.CERTIFICATE, wait)
        self._told: tuple[float, int | None] | None = None

    async def run(self) -> None:
        """Check now and every hour, until cancelled."""
        await self._rounds.run_rounds(self._take_round)

    async def _take_round(self) -> float:
        self.look()
        return LOOK_SECONDS

    def look(self) -> None:
        """Check once."""
        expires_at = self._expires_at()
        step = expiry_step_due(expires_at, self._now())
        if step is not None and self._told != (expires_at, step):
            ends = (
                datetime.fromtimestamp(expires_at, UTC)
                .isoformat(timespec="seconds")
                .replace("+00:00", "Z")
            )
            self._log.publish(CertificateExpiring(days=step, ends=ends))
        self._told = (expires_at, step)
