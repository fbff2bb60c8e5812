"""The port of a store for the servers that share it: its nodes.

Part of the contract in interface.py, whose rules hold here. A store of one process has no nodes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class NodeState(StrEnum):
    """How a node is doing."""

    SERVING = "serving"
    RETIRING = "retiring"  # it was asked to stop, and has not done so yet
    SILENT = "silent"  # its lease has ended: others may take over its drains and duties


@dataclass(frozen=True, slots=True)
class Node:
    """One server of a shared store, at one moment by the clock of the database."""

    name: str  # HOST:PROCESS
    version: str  # of its program
    state: NodeState
    beat_age: float  # seconds since its last heartbeat
    lease_left: float  # seconds until others may take over its drains; 0 once they may
    drains: int  # that it runs
    duties: tuple[str, ...]  # works that it does for all, by name
    is_own: bool  # it is the one that was asked


class NodeStore(Protocol):
    """The nodes of a store."""

    @property
    def is_retiring(self) -> bool:
        """Whether this process was asked to stop. No I/O."""

    @property
    def risk(self) -> str:
        """Why acknowledged mail could be lost with one machine; "" while it cannot. No I/O."""

    @property
    def clock_offset(self) -> float | None:
        """Seconds by which this machine's clock is ahead of the database's, at the last heartbeat.

        None without a heartbeat. No I/O.
        """

    @property
    def servers(self) -> int:
        """How many servers share the store now, this one included. No I/O."""

    async def nodes(self) -> list[Node]:
        """Return the nodes by name, without those that have ended in good order."""

    async def retire(self, name: str) -> bool:
        """Ask a node to stop; it receives that with its next heartbeat. False if none serves."""

    async def remove(self, name: str) -> bool:
        """Forget a silent node permanently. If it still lives, it cannot take part any more.

        False if there is none, or it is not silent.
        """
