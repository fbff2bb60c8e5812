"""The time limit of the reply that a connection waits for (RFC 5321 §4.5.3.2)."""

import asyncio
import math
from collections.abc import Callable
from typing import Final

from restante.delivery.deadline import Deadline
from restante.delivery.delivery_settings import DeliverySettings
from restante.smtp.chunking_probe import PROBE_MAIL
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import CONTENT, QUIT, STARTTLS

# Seconds. At QUIT every outcome is known, so a long wait is not worth it. But if we close before
# the server does, it may still count this connection when the next one comes.
_GOODBYE_SECONDS: Final = 5.0
_CLOSING_SECONDS: Final = 1.0
_ACROSS_SECONDS: Final = (
    5.0  # behind answered content or a chunk: a server that drops it stays silent; for a close
)
_PROBE_SECONDS: Final = 20.0  # behind the MAIL of the probe: some servers delay their refusals
_CUT_SECONDS: Final = 30.0  # for the end of a final reply whose code is known
_TLS_SECONDS: Final = 30.0  # for STARTTLS and the handshake, if plain text may follow
LATE_SECONDS: Final = 5.0  # for a reply, after which nothing more is put behind it


class ReplyTimer:
    """Calls once when the destination is too late. Every write and every reply moves it."""

    def __init__(
        self,
        session: ClientSession,
        settings: DeliverySettings,
        on_late: Callable[[], None],
        *,
        may_do_without_tls: bool,
    ) -> None:
        """`may_do_without_tls`: mail may go in plain text if TLS fails."""
        self._session = session
        self._settings = settings
        self._may_do_without_tls = may_do_without_tls
        self._loop = asyncio.get_running_loop()
        self._deadline = Deadline(self._loop, on_late)
        self._is_hurried = False  # the final reply due has begun
        self.is_not_needed = False  # the connection was told to finish before it could begin
        self.is_leaving = False  # QUIT was answered

    def restart(self, *, is_shaking_hands: bool) -> None:
        """Wait for the next reply from now on."""
        self._deadline.move(self._seconds(is_shaking_hands=is_shaking_hands))

    def calm_down(self) -> None:
        """Hurry no more: a whole reply has come. Bytes alone could drip permanently."""
        self._is_hurried = False

    def hurry(self) -> None:
        """Wait for the end of a final reply no longer than that: its code is known."""
        if not self._is_hurried:
            self._is_hurried = True
            self._deadline.move(min(_CUT_SECONDS, self._settings.content_timeout))

    def forgo(self) -> None:
        """Wait for a moment only: a greeting may take minutes, and nothing depends on it."""
        self.is_not_needed = True
        self._deadline.move(_GOODBYE_SECONDS)

    def cancel(self) -> None:
        """Call nothing any more."""
        self._deadline.cancel()

    @property
    def seconds_still(self) -> float:
        """For how long nothing has moved."""
        return self._loop.time() - self._deadline.moved_at

    def _seconds(self, *, is_shaking_hands: bool) -> float:
        """Return how long the next reply may take; infinity if none is due."""
        awaited = self._session.awaited
        if self.is_not_needed:
            return _GOODBYE_SECONDS
        if self.is_leaving:
            return _CLOSING_SECONDS
        if awaited is CONTENT:
            return self._settings.content_timeout
        if awaited is QUIT:
            return _GOODBYE_SECONDS
        is_owed = awaited is not None or is_shaking_hands or self._session.is_sending_content
        seconds = self._settings.reply_timeout if is_owed else math.inf
        if self._may_do_without_tls and (awaited is STARTTLS or is_shaking_hands):
            seconds = min(seconds, _TLS_SECONDS)  # RFC 5321 names no time for either
        return min(self._trial_seconds(), seconds)

    def _trial_seconds(self) -> float:
        """Return how long the reply to a trial may take; infinity if the next reply is none."""
        session = self._session
        if session.awaits_across or session.awaits_behind_chunk or session.awaits_close:
            return _ACROSS_SECONDS
        is_trial = session.is_probing and session.awaited is not PROBE_MAIL
        return _PROBE_SECONDS if is_trial else math.inf
