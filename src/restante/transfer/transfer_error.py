"""Why mail was not exported or imported."""

from enum import StrEnum


class TransferFault(StrEnum):
    """The kinds of faults. API and command line turn each into their own code."""

    MALFORMED = "malformed"  # the stream does not have its format
    INTERRUPTED = "interrupted"  # the stream ended early
    MISSING = "missing"  # the message is not held any more
    DAMAGED = "damaged"  # the content of the message is damaged


class TransferError(Exception):
    """Nothing was transferred. `error` names thing and cause, `remedy` the next step."""

    def __init__(self, fault: TransferFault, error: str, remedy: str) -> None:
        super().__init__(f"{error}; {remedy}")
        self.fault = fault
        self.error = error
        self.remedy = remedy
