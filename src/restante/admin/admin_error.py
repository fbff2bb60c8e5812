"""Why a request to the admin functions was refused.

Command line, API and portal each turn the kind into their own code.
"""

from enum import StrEnum

from restante.mail.one_line import one_line
from restante.phrases import NO_SERVER, START_SERVER


class ErrorKind(StrEnum):
    """The kinds of refusals."""

    USAGE = "usage"  # the request contradicts itself or lacks something
    INVALID = "invalid"  # a value is not acceptable
    NOT_FOUND = "not-found"
    EXISTS = "exists"  # the new thing exists already
    CONFLICT = "conflict"  # the state of other things prevents it now
    STALE = "stale"  # the record is not as the client knows it
    NOT_ALLOWED = "not-allowed"
    UNAVAILABLE = "unavailable"  # it needs a running server
    TRY_LATER = "try-later"


class AdminError(Exception):
    """Nothing was changed. `error` names the thing and the cause, `remedy` the next step."""

    def __init__(self, kind: ErrorKind, error: str, remedy: str, *, seconds: float = 0.0) -> None:
        """`seconds`: of a request above a limit, until one is within it again; 0 for others."""
        self.kind = kind
        self.seconds = seconds
        self.error = one_line(error)  # it may repeat a part of the request
        self.remedy = one_line(remedy)
        super().__init__(f"{self.error}; {self.remedy}")


def no_server(what: str) -> AdminError:
    """Make the error for an action that needs a running server."""
    return AdminError(
        ErrorKind.UNAVAILABLE,
        f"{what}: {NO_SERVER}",
        START_SERVER,
    )
