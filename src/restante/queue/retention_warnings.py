"""How long before the end of its retention mail is reported. Pure."""

from typing import Final

from restante.tenancy.policy import DAY

WARNINGS: Final = (1 * DAY, 3 * DAY, 7 * DAY)
OVER: Final = 0.0


def warning_due(since: float, retention: float, now: float) -> float | None:
    """Return how many seconds ahead the due warning for the oldest mail is, OVER once it is late.

    None: it is too early for any. A warning as long ahead as the retention itself would come with
    the mail, and is none.
    """
    left = since + retention - now
    if left <= 0:
        return OVER
    return next((ahead for ahead in WARNINGS if left <= ahead < retention), None)
