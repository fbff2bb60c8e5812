"""The port of a store for the data of one person.

Part of the contract in interface.py, whose rules hold here. Long tables are read in slices, so that
nobody waits long. Each call looks at a bounded number of rows, and changes only rows that it is
given. Beside the person's own paths, texts are searched for the address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from restante.stable_word import StableWord
from restante.tenancy.audit import AuditEntry
from restante.tenancy.person import Person


class PersonPlace(StableWord):
    """The places of a store that can name a person."""

    HELD = "held-mail"
    REPORTS = "reports"
    RECIPIENTS = "recipients"
    OPEN_DRAINS = "open-drains"
    WAITING_CHANGES = "waiting-changes"
    DRAINS = "last-drains"
    UPTIME = "uptime"
    NOTICES = "notices"
    PAST_NOTICES = "past-notices"
    RELEASES = "releases"
    HISTORY = "history"
    AUDIT = "audit-trail"


# Where an erasure changes rows; the trail is last, because the work before it leaves entries. Held
# mail and reports are mail: they leave by their own ways. Open drains and waiting changes end soon,
# and need the names until then.
ERASABLE: Final = (
    PersonPlace.RECIPIENTS,
    PersonPlace.DRAINS,
    PersonPlace.UPTIME,
    PersonPlace.NOTICES,
    PersonPlace.PAST_NOTICES,
    PersonPlace.RELEASES,
    PersonPlace.HISTORY,
    PersonPlace.AUDIT,
)
LEFT: Final[tuple[PersonPlace, ...]] = tuple(
    place for place in PersonPlace if place not in ERASABLE
)
MARK: Final = "erased-"  # before the number of an erasure

Fact = str | int | float | None


@dataclass(frozen=True, slots=True)
class PersonalRow:
    """A row that names the person."""

    key: int  # for `erase_person`; 0 where rows have no number
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class PersonalRows:
    """The rows of one slice that name the person."""

    rows: Sequence[PersonalRow]
    looked_at: int  # rows in the slice
    after: int | None  # where the next slice begins; None: this was the last


class PersonStore(Protocol):
    """The data of a person."""

    async def find_person(
        self, place: PersonPlace, person: Person, after: int, limit: int
    ) -> PersonalRows:
        """Look at the next `limit` rows of a place beyond `after`, in the order of their keys."""

    async def erase_person(
        self, place: PersonPlace, person: Person, mark: str, keys: Sequence[int]
    ) -> int:
        """Put the mark in place of the address in these rows; return how many named it.

        The person's recipients are removed, whatever the keys. Their change has a number, as in
        `RecipientStore.change_list`.
        """

    async def begin_erasure(self, person: str) -> str:
        """Return the mark for an address: that of an erasure which did not end, or a new one."""

    async def end_erasure(self, mark: str, audit: AuditEntry) -> None:
        """Forget the address that a mark stands for."""
