"""How far commands may go ahead of their replies at each destination, by past failures there.

The same for EHLO, and for TLS where plain text is allowed.

Pipelining is worth much on a path with a long delay. Where connections break it costs copies,
because a window is sent again. So failures are remembered for each destination, in memory only:
after a restart one connection finds it out again.

    failure                                             then, for how long
    --------------------------------------------------  ---------------------------------------
    it broke in the probe for CHUNKING, or before one   no whole messages ahead, a day
    window was settled, or it refused BDAT itself
    the reply to the first window of all is late        no whole messages ahead, an hour
    it broke later with mail in the window, the second  no whole messages ahead, an hour: the
    time within an hour                                 path is bad, and DATA makes fewer copies
    it was silent with mail in the window               the same, the first time
    a command after content was refused, or got no      nothing behind content, a day
    reply
    it broke in the opening of the first transaction,   one command at a time, an hour
    with MAIL, RCPT and DATA in one flight
    it closed the connection at EHLO, and took HELO     HELO, an hour
    it was silent at STARTTLS or in the TLS handshake,  no TLS, an hour: each try would cost the
    and could be used in plain text                     time limit. Only where TLS is opportunistic
"""

from collections.abc import Callable
from math import inf
from typing import Final

from restante.delivery.link_plan import ConnectionEnd, EndKind, SendingManner
from restante.smtp.pipelining import Pipelining

_DAY: Final = 86400.0
_HOUR: Final = 3600.0
_FOR: Final = {
    Pipelining.AHEAD: _DAY,
    Pipelining.ACROSS: _DAY,
    Pipelining.OPENING: _HOUR,
}  # seconds


class PipeliningBackoff:
    """Kept as long as the process lives; one entry for each destination that failed."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self._monotonic = monotonic
        self._until: dict[
            str, dict[Pipelining, float]
        ] = {}  # by destination: the disabled pipelining, and until when
        self._lost_at: dict[str, float] = {}
        self._helo_until: dict[str, float] = {}
        self._plain_until: dict[str, float] = {}

    def pipelining(self, destination: str) -> Pipelining:
        """Return the pipelining that is allowed there now."""
        now = self._monotonic()
        left_off = [
            level for level, until in self._until.get(destination, {}).items() if until > now
        ]
        return Pipelining(min(left_off) - 1) if left_off else Pipelining.AHEAD

    def uses_ehlo(self, destination: str) -> bool:
        """Return whether to send EHLO there now."""
        return self._helo_until.get(destination, -inf) <= self._monotonic()

    def uses_tls(self, destination: str) -> bool:
        """Return whether to begin TLS there now, where it is opportunistic."""
        return self._plain_until.get(destination, -inf) <= self._monotonic()

    def leave_tls_off(self, destination: str) -> None:
        """Begin no TLS there for a while: it was silent at it, and plain text was possible."""
        self._plain_until[destination] = self._monotonic() + _HOUR

    def learn(self, destination: str, end: ConnectionEnd) -> None:
        """Learn from the end of a connection."""
        if end.was_ready and not end.uses_ehlo and self.uses_ehlo(destination):
            self._helo_until[destination] = self._monotonic() + _HOUR
        if end.not_borne is not None:
            self._leave_off(destination, end.not_borne, _FOR[end.not_borne])
        elif end.kind is EndKind.BROKEN and end.manner is SendingManner.AHEAD and end.outstanding:
            self._count_loss(destination, was_silent=end.was_silent)

    def doubt_windows(self, destination: str) -> None:
        """Begin no more windows there for a while: the reply to the first one is late."""
        if self.pipelining(destination) is Pipelining.AHEAD:
            self._leave_off(destination, Pipelining.AHEAD, _HOUR)

    def _count_loss(self, destination: str, *, was_silent: bool) -> None:
        now = self._monotonic()
        if was_silent or now - self._lost_at.get(destination, -inf) < _HOUR:
            self._leave_off(destination, Pipelining.AHEAD, _HOUR)
        self._lost_at[destination] = now

    def _leave_off(self, destination: str, level: Pipelining, seconds: float) -> None:
        self._until.setdefault(destination, {})[level] = self._monotonic() + seconds
