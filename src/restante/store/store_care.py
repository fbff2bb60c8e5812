"""The findings of a check of a whole store, and the result of a salvage."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    kind: str  # "schema", "database", "figures", "content"
    text: str
    number: int | None = None  # of the message concerned


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
    findings: list[Finding] = field(default_factory=list)

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
    lost: list[Finding] = field(
        default_factory=list
    )  # unreadable data, and records that were recreated in its place

    @property
    def is_whole(self) -> bool:
        """Whether everything was salvaged."""
        return not self.lost


@dataclass(frozen=True, slots=True)
class Slice:
    """The amount that one step of a walk has read, and its processor time in seconds."""

    messages: int = 0
    octets: int = 0
    files: int = 0
    seconds: float = 0.0
    damaged: int = 0  # messages
