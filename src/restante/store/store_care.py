"""The port for the care of a store as a whole, also of one that cannot be opened.

The care of an open store, its scrub and backup, is in upkeep_store.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from restante.mail.delivery_report import Report
from restante.store.key_store import SealedKeys
from restante.tenancy.model import Directory


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """One thing that is not as it should be."""

    kind: str  # "schema", "database", "log", "figures", "content", "key"
    text: str
    number: int | None = None  # of the message concerned


@dataclass(frozen=True, slots=True)
class SealedRows:
    """The rows that only the key file opens."""

    data_keys: SealedKeys
    reports: Sequence[Report]  # some of them: the first
    directory: Directory


@dataclass(slots=True)
class StoreReport:
    """All of it."""

    engine: str
    schema_known: int  # the newest that this program knows
    schema: int = 0
    is_in_use: bool = False  # a server had it open meanwhile
    messages: int = 0
    octets: int = 0
    contents_read: int = 0  # messages
    orphans: list[str] = field(
        default_factory=list
    )  # files that no row names: on their way in, or swept at next start
    findings: list[StoreFinding] = field(default_factory=list)
    sealed: SealedRows | None = None  # None if the tables are older or cannot be read

    @property
    def is_sound(self) -> bool:
        """Whether everything is as it was written."""
        return not self.findings


@dataclass(slots=True)
class SalvageReport:
    """The contents of the new store after a salvage, and the losses."""

    schema: tuple[int, int] = (0, 0)  # of the damaged store, of the new one
    messages: int = 0
    octets: int = 0
    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)  # of the other tables
    lost: list[StoreFinding] = field(
        default_factory=list
    )  # unreadable data, and records that were recreated in its place

    @property
    def is_whole(self) -> bool:
        """Whether everything was salvaged."""
        return not self.lost


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The versions of the tables before and after an upgrade."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of an upgrade."""

    schema: int  # the version of the tables after it
    text: str


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """The copy of the store that an upgrade makes first."""

    directory: str
    octets: int  # that must be free for it, and for the steps
    octets_free: int
    is_made: bool = False  # by an upgrade that was ended half-way; this one goes on
    replaces: tuple[str, ...] = ()  # directories of copies that are removed


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """The steps of an upgrade, and the copy before them."""

    before: int  # versions of the tables
    after: int
    steps: tuple[PlannedStep, ...]
    messages: int  # held; an estimate where counting them would take long
    octets: int
    copy: PlannedCopy | None  # None: none is made


@dataclass(frozen=True, slots=True)
class ScrubSlice:
    """The amount that one step of a walk has read, and its processor time in seconds."""

    messages: int = 0
    octets: int = 0
    files: int = 0
    seconds: float = 0.0
    damaged: int = 0  # messages


class StoreCare(Protocol):
    """Checks and salvages a store. The methods block, for as long as it takes to read all of it."""

    def check(self, on_progress: Callable[[int, int], None]) -> StoreReport:
        """Look at everything, and change nothing. A server may have the store open.

        Each fault is a finding, also if the store cannot be opened. `on_progress` is told how many
        messages were looked at, and how many there are. Raises CareUnsupported.
        """

    def salvage(self, target: Path, on_progress: Callable[[int], None]) -> SalvageReport:
        """Write what can be read into a new store in `target`, which is empty or not there.

        `on_progress` is told how many messages were salvaged. Raises CareUnsupported. Raises
        StoreUnusable where nothing can be read or a server has the store open, StoreError where the
        new one cannot be written.
        """

    def plan_upgrade(self) -> UpgradePlan:
        """Return what an upgrade would do, and change nothing. Servers may have the store open.

        Raises CareUnsupported where the tables always fit. Raises StoreMismatched where a newer
        program has upgraded them, StoreUnusable.
        """

    def upgrade(self) -> SchemaChange:
        """Bring the tables to this program's version. Servers may have the store open.

        Nothing is changed if they have it. Raises CareUnsupported where the start of a server does
        this. Raises StoreUnusable.
        """
