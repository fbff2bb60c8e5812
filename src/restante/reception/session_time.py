"""The time limits of one SMTP session. Pure: the time is an argument, in seconds of any clock."""

from restante.reception.patience import HURRY, Patience
from restante.reception.reception_settings import ReceptionSettings
from restante.smtp.phases import Phase
from restante.smtp.server_session import ServerSession
from restante.smtp.session_end import SessionEnd

LINGER_SECONDS = 30.0  # for a client to take our last reply


class SessionTime:
    """The time that a client has for its next step, and for a message or a release."""

    __slots__ = ("_achieved", "_session", "_settings", "_step", "_whole")

    def __init__(self, settings: ReceptionSettings, session: ServerSession, now: float) -> None:
        self._settings = settings
        self._session = session
        self._step = Patience(now)
        self._whole = Patience(now)  # since the last message held or release granted
        self._achieved = 0

    def restart(self, now: float) -> None:
        """Begin the time of the next step: the client finished one, or was waiting for us."""
        self._step.since = now

    def content_came(self, octets: int, now: float) -> None:
        """Grant the time that this much content may take."""
        self._step.top_up(octets, self._settings.minimum_rate, now)

    def note_achieved(self, achieved: int, now: float) -> None:
        """Restart the time of the whole session if more was achieved."""
        if achieved != self._achieved:
            self._achieved = achieved
            self._whole.restart(now)

    def used_up(
        self, now: float, *, is_shaking_hands: bool, is_hurried: bool = False
    ) -> SessionEnd | None:
        """Return the limit that is exceeded, None if none.

        `is_hurried` leaves the client a small share of each limit.
        """
        share = HURRY if is_hurried else 1.0
        if self._step.is_over(share * self._allowed(is_shaking_hands=is_shaking_hands), now):
            return SessionEnd.TIMED_OUT
        if self._whole.is_over(share * self._settings.session_seconds, now):
            return SessionEnd.NO_MESSAGE
        return None

    def has_lingered(self, now: float) -> bool:
        """Return whether a client has not taken our last reply in its time.

        That time is never shortened: the reply may be a 250.
        """
        return self._step.is_over(LINGER_SECONDS, now)

    def _allowed(self, *, is_shaking_hands: bool) -> float:
        if self._session.is_in_content:
            return self._settings.content_timeout
        is_new = self._session.phase is Phase.CONNECTED or is_shaking_hands
        return self._settings.greeting_timeout if is_new else self._settings.command_timeout
