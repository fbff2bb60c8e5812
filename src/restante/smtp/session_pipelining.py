"""How far one session sends commands ahead of their replies (smtp/pipelining.py).

The limit comes from earlier sessions with the server. Commands that open a transaction go in one
flight if the server offers that. The next opening follows content if the server has shown that it
supports it: all sessions of an attempt share that result. After an odd reply nothing follows
content any more, because it could be mistaken for two.
"""

from restante.smtp.pipelining import ContentPipelining, Pipelining
from restante.smtp.session_audit import SessionAudit
from restante.smtp.window_size import WindowPace


class SessionPipelining:
    """The limit of one session, and the trial of commands behind content."""

    __slots__ = ("_audit", "_is_offered", "_limit", "_may_try", "_pace", "is_across_refused")

    def __init__(self, limit: Pipelining, pace: WindowPace, audit: SessionAudit) -> None:
        self._limit = limit
        self._pace = pace
        self._audit = audit
        self._is_offered = False
        self._may_try = False
        self.is_across_refused = (
            False  # a command behind content got 4xx or 5xx, or made an odd reply doubtful
        )

    def open(self, *, is_offered: bool, may_try: bool) -> None:
        """Begin. `may_try`: content may be followed by a command that tries it."""
        self._is_offered = is_offered
        self._may_try = may_try

    @property
    def is_used(self) -> bool:
        """Whether the commands that open a transaction go in one flight."""
        return self._is_offered and self._limit >= Pipelining.OPENING and not self._audit.is_on

    @property
    def goes_across(self) -> bool:
        """Whether the next transaction may open behind the content of this one."""
        return self._may_go_across and self._pace.across is ContentPipelining.BORNE

    @property
    def _may_go_across(self) -> bool:
        return self.is_used and self._limit >= Pipelining.ACROSS and self._may_try

    def tries_across(self) -> bool:
        """Return whether a command is to follow this content, to try it; that happens once."""
        if self._pace.across is not ContentPipelining.UNTRIED or not self._may_go_across:
            return False
        self._pace.across = ContentPipelining.TRYING
        return True

    def across_answered(self, *, is_borne: bool) -> None:
        """Take the reply to a command behind content."""
        self._pace.across = ContentPipelining.BORNE if is_borne else ContentPipelining.NOT_BORNE
        self.is_across_refused = not is_borne

    def met_odd_reply(self, *, others_due: bool) -> None:
        """Send nothing behind content from now on: an odd reply could be mistaken for two."""
        self._pace.across = ContentPipelining.NOT_BORNE
        self.is_across_refused |= others_due
