"""The outcome of a release request, in domain terms. `etrn_reply` makes the SMTP reply of it.

The reason is for the audit trail and the operator. Clients never get it: the reply to `Refused` is
the same for an unknown domain, another account's domain and a host that is not authorized. Each
outcome has the id under which the store keeps the request; 0 if it is not kept.
"""

from dataclasses import dataclass
from typing import Final

from restante.tenancy.release_result import ReleaseResult


@dataclass(frozen=True, slots=True)
class Granted:
    """Drains of the held mail have begun."""

    target: str  # in ASCII, as the client named it
    pending: int  # messages
    reason: str
    release: int = 0
    suspensions: tuple[str, ...] = ()  # of domains that were left out, with the reason of each


@dataclass(frozen=True, slots=True)
class NothingHeld:
    """The client may ask, and no mail is held."""

    target: str
    reason: str
    is_positive_wanted: bool = False  # the account wants 250: some clients stop at the first 251
    release: int = 0
    suspensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The client may not ask for this target."""

    target: str
    reason: str
    release: int = 0


@dataclass(frozen=True, slots=True)
class NotAuthenticated:
    """The client has not logged in."""

    reason: str
    release: int = 0


@dataclass(frozen=True, slots=True)
class CannotNow:
    """The request is deferred.

    A limit is reached, a domain is suspended, or the store or a drain failed.
    """

    target: str
    reason: str
    pending: int = 0  # messages that are released although the release could not be recorded
    release: int = 0
    suspensions: tuple[str, ...] = ()
    is_by_atrn_only: bool = False  # no destination: a later request gets the same answer
    seconds: float = 0.0  # until a request is within the limit again; 0: no limit was reached


@dataclass(frozen=True, slots=True)
class NotATarget:
    """The argument names neither a domain, nor `@domain`, nor `#account`."""

    is_missing: bool  # there was no argument
    reason: str = "names no domain, subtree or account"
    release: int = 0


ReleaseOutcome = Granted | NothingHeld | Refused | NotAuthenticated | CannotNow | NotATarget

_RESULTS: Final[dict[type[ReleaseOutcome], ReleaseResult]] = {
    Granted: ReleaseResult.GRANTED,
    NothingHeld: ReleaseResult.NOTHING_HELD,
    Refused: ReleaseResult.REFUSED,
    NotAuthenticated: ReleaseResult.NOT_AUTHENTICATED,
    CannotNow: ReleaseResult.CANNOT_NOW,
    NotATarget: ReleaseResult.NOT_A_TARGET,
}


def result_of(outcome: ReleaseOutcome) -> ReleaseResult:
    """Return the result of a request, as the store keeps it and the operator reads it."""
    return _RESULTS[type(outcome)]


def is_confirmed(outcome: ReleaseOutcome) -> bool:
    """Tell whether the request was carried out, with or without mail."""
    return result_of(outcome).is_done


def pending_messages(outcome: ReleaseOutcome) -> int:
    """Return how many messages the request has released."""
    return outcome.pending if isinstance(outcome, Granted | CannotNow) else 0


def suspensions_of(outcome: ReleaseOutcome) -> tuple[str, ...]:
    """Return the domains that were left out because they are suspended, with their reasons."""
    if isinstance(outcome, Granted | NothingHeld | CannotNow):
        return outcome.suspensions
    return ()
