"""How the database of a shared store is opened, beside its URL."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class RecoveryPoint(StrEnum):
    """The acceptable loss, if the machine of the database is lost: the setting `rpo`."""

    ZERO = "zero"  # nothing: each commit is on a synchronous standby too
    ACCEPT_LOSS = "accept-loss"  # the last commits, where nothing waits for a standby


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """The settings of an operator for a database."""

    password_file: Path | None = None  # read at each new session; None: PostgreSQL's own means
    recovery_point: RecoveryPoint = RecoveryPoint.ZERO
    is_plain: bool = False  # use plain SQL only, for a pooler: the setting `pooled`
