"""Why an attempt of a drain ended, and which changes of a record end it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.policy import OnRefusal


def concerns(domain: HostedDomain) -> tuple[int, str, Destination, OnRefusal, int | None]:
    """Return the parts of a domain's record that an attempt uses: other changes do not end it."""
    policy = domain.policy
    return domain.id, domain.account, domain.destination, policy.on_refusal, policy.after_drains


class AttemptKind(StrEnum):
    """How an attempt ended."""

    COMPLETE = "complete"  # the round: everything held was tried, in this attempt or an earlier one
    STOPPED = "stopped"  # by the destination, the store, or the caller of `end`
    CHANGED = "changed"  # because the record of the destination changed
    REFUSING = "refusing"  # by us: the destination refuses one message after the other
    LIMITED = "limited"  # by us: the destination limits the rate
    PACED = "paced"  # by us: the limit per minute is reached
    REFUSED_CLIENTS = "refused-clients"  # by us: many in a row; the mail of others may be behind


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """Why an attempt ended."""

    kind: AttemptKind
    reason: str
    tried: int = 0  # messages
    delivered: int = 0
    wait: float = 0.0  # seconds until the next attempt may begin, where we ended this one
    moved_some: bool = False  # a message was taken for some of its recipients, not for all
    is_limited: bool = False  # the destination limits the rate, now or within the last hour


@dataclass(slots=True)
class AttemptTally:
    """The figures of an attempt so far, and whether it ends."""

    kind: AttemptKind = AttemptKind.STOPPED
    reason: str = ""
    tried: int = 0
    delivered: int = 0
    wait: float = 0.0
    moved_some: bool = False
    is_limited: bool = False
    is_ending: bool = False  # it begins no more messages
    on_stop: list[Callable[[str], None]] = field(default_factory=list)  # told once, with the reason

    def stop(self, reason: str, kind: AttemptKind = AttemptKind.STOPPED) -> None:
        """Begin no more messages. The first reason counts."""
        if self.is_ending:
            return
        self.is_ending, self.kind, self.reason = True, kind, reason
        told, self.on_stop = self.on_stop, []  # let go of them: no cycle has to be collected
        for tell in told:
            tell(reason)

    @property
    def is_good(self) -> bool:
        """Whether the whole round was tried, and something delivered."""
        return self.kind is AttemptKind.COMPLETE and self.delivered > 0

    def end(self) -> AttemptEnd:
        """Return it as the end of the attempt."""
        return AttemptEnd(
            self.kind,
            self.reason,
            self.tried,
            self.delivered,
            self.wait,
            self.moved_some,
            self.is_limited,
        )
