"""The steps of an application of a configuration: their order, and their results."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from itertools import islice
from typing import Literal, TypeVar

from restante.admin.admin_error import AdminError, ErrorKind
from restante.phrases import CHANGED_MEANWHILE
from restante.tenancy.record_change import Change

_Item = TypeVar("_Item")


class PruneScope(StrEnum):
    """How things and fields that a configuration does not name are treated."""

    NOTHING = "nothing"  # they stay as they are
    RECORDS = "records"  # of the accounts that it names: things go, fields get their defaults
    ACCOUNTS = "accounts"  # accounts that it does not name go too


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options that are the same for every entry of a configuration."""

    prune: PruneScope = PruneScope.NOTHING
    reason: str = ""  # of removals, in the audit trail

    @property
    def is_pruning(self) -> bool:
        """Whether things that are not named are removed."""
        return self.prune is not PruneScope.NOTHING


class ApplyStage(IntEnum):
    """The order of steps. Those of one stage do not depend on each other."""

    MAKE_ROOM = 0  # remove what is in the way of something new
    ACCOUNTS = 1
    LOGINS = 2
    LISTS_FIRST = 3  # where a domain is about to reject unknown recipients
    DOMAINS = 4
    LISTS = 5
    CHANNELS = 6
    REMOVE_PARTS = 7
    REMOVE_DOMAINS = 8
    REMOVE_ACCOUNTS = 9


class ApplyVerb(StrEnum):
    """The effect of a step on a record."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


AppliedKind = Literal["account", "login", "domain", "recipients", "channel"]
StepWork = Callable[[], Awaitable[str | None]]
"""Does a step, and returns the secret that was made for it, if any. Raises AdminError."""


@dataclass(frozen=True, slots=True)
class ApplyStep:
    """One change of one record."""

    stage: ApplyStage
    verb: ApplyVerb
    thing: AppliedKind
    name: str
    account: str
    changes: Sequence[Change]
    work: StepWork
    obstacle: AdminError | None = None  # why it is known in advance that it cannot be done


@dataclass(slots=True)
class ApplyPlan:
    """The steps to do, and the number of records that need none."""

    steps: list[ApplyStep] = field(default_factory=list)
    unchanged: int = 0
    warnings: list[str] = field(default_factory=list)

    def take(self, step: ApplyStep | None) -> None:
        """Add a step; None: the record is already as it should be."""
        if step is None:
            self.unchanged += 1
        else:
            self.steps.append(step)


def verb_of(present: object | None) -> ApplyVerb:
    """Return the effect of storing a record, where `present` is there."""
    return ApplyVerb.ADD if present is None else ApplyVerb.CHANGE


def check_same(label: str, planned: object | None, present: object | None) -> None:
    """Raise AdminError if a record is not as it was when the change was planned."""
    if planned != present:
        remedy = "apply the configuration again"
        raise AdminError(ErrorKind.CONFLICT, f"{label}: {CHANGED_MEANWHILE}", remedy)


def groups_of(size: int, items: Iterable[_Item]) -> Iterator[tuple[_Item, ...]]:
    """Yield items in their order, so many at once."""
    rest = iter(items)
    while group := tuple(islice(rest, size)):
        yield group
