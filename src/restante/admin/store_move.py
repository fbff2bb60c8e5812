"""The move of everything from one store into another, without a server."""

import time
import uuid
from collections.abc import Callable

from pydantic import BaseModel

from restante.admin.permissions import AdminAction, permit
from restante.mail.message import message_name
from restante.mail.quantity import counted
from restante.store.moving.move_end import MoveEnd, MoveSource, MoveTarget
from restante.store.moving.store_mover import MoveReport, StoreMover, new_mark, undo_move
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.principal import Principal


class MoveView(BaseModel):
    """The result of a move. Digests and figures are empty if an earlier run has ended it."""

    source: str
    target: str
    was_done: bool
    is_resumed: bool
    messages: int
    octets: int
    rows: dict[str, int]  # by table
    digest: str  # equal in both stores
    damaged: list[str]  # names of messages that are damaged in both stores
    seconds: float


class UndoView(BaseModel):
    """A store that servers may use again."""

    source: str
    is_target_emptied: bool


async def move_store(
    principal: Principal,
    source: MoveSource,
    target: MoveTarget,
    on_moved: Callable[[str, int, int], None],
) -> MoveView:
    """Move everything, or go on with a move of the same stores. Raises StoreError."""
    permit(principal, AdminAction.STORE_MOVE)
    began_at = time.monotonic()
    mover = StoreMover(source, target, on_moved)
    mark = new_mark(uuid.uuid4().hex, target.place)
    report = await mover.move(mark, lambda so_far: _entry(principal, so_far))
    return MoveView(
        source=report.source,
        target=report.target,
        was_done=report.was_done,
        is_resumed=report.is_resumed,
        messages=report.rows.get("message", 0),
        octets=report.octets,
        rows=report.rows,
        digest=report.digest,
        damaged=[message_name(number) for number in report.damaged],
        seconds=round(time.monotonic() - began_at, 3),
    )


async def undo_store_move(
    principal: Principal, source: MoveEnd, target: MoveTarget | None
) -> UndoView:
    """Let servers use the source of a move again. Raises StoreError."""
    permit(principal, AdminAction.STORE_MOVE)
    await undo_move(source, target)
    return UndoView(source=source.place, is_target_emptied=target is not None)


def _entry(principal: Principal, report: MoveReport) -> AuditEntry:
    """Return the entry for the audit trail of the new store."""
    messages = counted(report.rows.get("message", 0), "message")
    return AuditEntry(
        time.time(),
        AuditAction.STORE_MOVED,
        principal.name,
        "store",
        acted_from=principal.acted_from,
        reason=f"from {report.source}: {messages}, digest {report.digest}",
    )
