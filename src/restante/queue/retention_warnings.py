"""How long before its end mail is told of. Pure."""

from typing import Final

from restante.tenancy.policy import DAY

WARNINGS: Final = (1 * DAY, 3 * DAY, 7 * DAY)
OVER: Final = 0.0


def warning_due(since: float, retention: float, now: float) -> float | None:
    """Return how many seconds ahead the warning is that is due for the oldest mail: OVER where its time has passed.

    None: it is too early for any. A warning as long ahead as the retention itself would come with
    the mail, and is none.
    """
    left = since + retention - now
    if left <= 0:
        return OVER
    return next((ahead for ahead in WARNINGS if left <= ahead < retention), None)
