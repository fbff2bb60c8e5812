"""The result of a request to release mail, as people read it. Pure.

`release/etrn` spells the reply that a client of SMTP gets.
"""

from enum import StrEnum

from restante.phrases import NOTHING_WAITS


class ReleaseResult(StrEnum):
    """The result of one request."""

    GRANTED = "granted"  # drains have begun
    NOTHING_HELD = "nothing-held"  # the requester may ask, and no mail is held
    REFUSED = "refused"  # the requester may not ask for this target
    NOT_AUTHENTICATED = "not-authenticated"
    CANNOT_NOW = "cannot-now"  # a limit, a suspension, or a failure of the store or of a drain
    NOT_A_TARGET = "not-a-target"  # neither a domain, nor `@domain`, nor `#account`

    @property
    def is_done(self) -> bool:
        """Whether the request was carried out, with or without mail."""
        return self in (ReleaseResult.GRANTED, ReleaseResult.NOTHING_HELD)


_TEXTS = {
    ReleaseResult.NOTHING_HELD: NOTHING_WAITS,
    ReleaseResult.REFUSED: "not allowed",
    ReleaseResult.NOT_AUTHENTICATED: "not authenticated",
    ReleaseResult.CANNOT_NOW: "not possible now",
    ReleaseResult.NOT_A_TARGET: "not a domain, @DOMAIN or #ACCOUNT",
}


_REMEDIES = {
    ReleaseResult.REFUSED: "`restante domain list` shows the hosted domains",
    ReleaseResult.NOT_A_TARGET: "name a domain, @DOMAIN or #ACCOUNT",
}
RESUME = "`restante domain set DOMAIN --hold until-asked` ends a suspension"


def result_remedy(result: ReleaseResult, *, is_suspended: bool) -> str:
    """Return the next step after a result; "" if none is known."""
    return RESUME if is_suspended else _REMEDIES.get(result, "")


def result_text(result: ReleaseResult, pending: int) -> str:
    """Return a result in words; `pending` messages were released."""
    if result is ReleaseResult.GRANTED:
        return f"{pending:,} message{'s' * (pending != 1)} released"
    return _TEXTS[result]
