"""Why something asked of the office was not done. Command line, API and portal each turn the kind into their own code."""

from enum import StrEnum

from restante.phrases import NO_SERVER, START_SERVER


class ErrorKind(StrEnum):
    """What sort of refusal it is."""

    USAGE = "usage"  # the request contradicts itself or lacks something
    INVALID = "invalid"  # a value is not acceptable
    NOT_FOUND = "not-found"
    EXISTS = "exists"  # what was to be added is there
    CONFLICT = "conflict"  # the state of other things forbids it now
    NOT_ALLOWED = "not-allowed"
    UNAVAILABLE = "unavailable"  # it takes a running server
    TRY_LATER = "try-later"


class AdminError(Exception):
    """Nothing was changed. `error` names the thing and the cause, `remedy` what to do."""

    def __init__(self, kind: ErrorKind, error: str, remedy: str) -> None:
        super().__init__(f"{error}; {remedy}")
        self.kind = kind
        self.error = error
        self.remedy = remedy


def no_server(what: str) -> AdminError:
    """Make the error of a thing that only a running server can do."""
    return AdminError(
        ErrorKind.UNAVAILABLE,
        f"{what}: {NO_SERVER}",
        START_SERVER,
    )
