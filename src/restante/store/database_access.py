"""How the database of a shared store is opened, beside its URL."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from restante.store.object_access import ObjectAccess


class RecoveryPoint(StrEnum):
    """The acceptable loss, if the machine of the database is lost: the setting `rpo`."""

    ZERO = "zero"  # nothing: each commit is on a synchronous standby too
    ACCEPT_LOSS = "accept-loss"  # the last commits, where nothing waits for a standby


@dataclass(frozen=True, slots=True)
class NodeSeat:
    """The place of one of several workers on a machine, which it has again after a restart."""

    name: str  # among the nodes
    file: Path  # where its slot is kept; no two processes have it at a time


@dataclass(frozen=True, slots=True)
class DatabaseAccess:
    """The settings of an operator for a database."""

    password_file: Path | None = None  # read at each new session; None: PostgreSQL's own means
    recovery_point: RecoveryPoint = RecoveryPoint.ZERO
    is_plain: bool = False  # use plain SQL only, for a pooler: the setting `pooled`
    seat: NodeSeat | None = None  # None: a server by itself
    objects: ObjectAccess | None = None  # None: large content is in the database
