"""Routes of the queue."""

from typing import Annotated

from fastapi import APIRouter, Query

from restante.admin import bounce, queue
from restante.admin.bounce import BounceChange
from restante.admin.queue import FullMessageView, MessageView, NamedMessages, QueueChange, QueueSelection
from restante.web.api.office import TheOffice

router = APIRouter(prefix="/queue", tags=["queue"])


@router.get("")
async def list_all(office: TheOffice, selection: Annotated[QueueSelection, Query()]) -> list[MessageView]:
    """List messages, oldest first."""
    return await queue.list_queue(office, selection)


@router.get("/{name}")
async def show(office: TheOffice, name: str) -> FullMessageView:
    """Show a message's envelope, headers and states."""
    return await queue.show_message(office, name)


@router.post("/delete")
async def delete(office: TheOffice, named: NamedMessages) -> QueueChange:
    """Delete messages for good."""
    return await queue.delete_messages(office, named)


@router.post("/bounce")
async def give_up(office: TheOffice, named: NamedMessages) -> BounceChange:
    """Give messages up: they go, and their senders are told."""
    return await bounce.bounce_messages(office, named)


@router.post("/release")
async def release(office: TheOffice, named: NamedMessages) -> QueueChange:
    """Hold refused recipients again."""
    return await queue.release_refused(office, named)
