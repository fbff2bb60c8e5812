"""Routes of held mail."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect

from restante.admin import bounce, held_mail, left_since_backup, queue_release
from restante.admin.bounce import BounceChange
from restante.admin.held_mail import (
    FullMessageView,
    MessageView,
    NamedMessages,
    QueueChange,
    QueueListing,
    QueueSelection,
    SelectedNames,
)
from restante.admin.hold_again import MessagesToHoldAgain
from restante.admin.left_since_backup import LeftMail, NewerHistory
from restante.admin.queue_release import QueueRelease
from restante.transfer import queue_content, queue_import
from restante.transfer.queue_content import ExportOrder
from restante.transfer.queue_import import DigestOrder, ImportResult
from restante.transfer.transfer_error import TransferError, TransferFault
from restante.web.api.api_schema import octets_body, of_octets
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.paging import PAGED, WantedPage, as_listing_page
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/queue", tags=["queue"])

EXPORT_STREAM = "application/x-restante-mail"  # mail/import_stream.py


@router.get("", response_model=list[MessageView], responses=PAGED)
async def list_messages(
    context: ReadingContext, request: Request, selection: Annotated[QueueListing, Query()]
) -> Response:
    """List messages, oldest first.

    A search that takes long ends early: a page with few messages, or with none, can have a link to
    a next one.
    """
    wanted = WantedPage(selection.after or "", selection.limit, request)
    return await as_listing_page(await held_mail.list_queue(context, selection), wanted)


@router.get("/selection", response_model=SelectedNames)
async def name_messages(
    context: ReadingContext, selection: Annotated[QueueSelection, Query()]
) -> Response:
    """Name and count the messages that match, before acting on many.

    The path is not the name of a message.
    """
    named = await held_mail.name_messages(context, selection)
    return Response(
        named.model_dump_json(), media_type="application/json"
    )  # FastAPI would go over it twice more


@router.get("/{name}")
async def show_message(context: ReadingContext, name: str) -> FullMessageView:
    """Show a message's envelope, headers and states."""
    return await held_mail.show_message(context, name)


@router.get(
    "/{name}/content",
    response_class=StreamingResponse,
    responses=of_octets("message/rfc822"),
)
async def read_content(context: RequestContext, name: str, reason: str = "") -> StreamingResponse:
    """Return a message's content, octet for octet, and audit that.

    If the answer is cut short, the content is damaged.
    """
    found = await queue_content.read_content(context, name, reason)
    return StreamingResponse(
        found.blocks, media_type="message/rfc822", headers={"Content-Length": str(found.size)}
    )


@router.post("/delete", dependencies=[REPEATABLE])
async def delete_messages(context: RequestContext, named: NamedMessages) -> QueueChange:
    """Delete messages permanently."""
    return await held_mail.delete_messages(context, named)


@router.post("/delete-left", dependencies=[REPEATABLE])
async def delete_left_messages(context: RequestContext, history: NewerHistory) -> LeftMail:
    """Delete mail that is held again after a backup was restored, although it had left before.

    The entries are those of the newer history. Recipients that it does not name stay held.
    """
    return await left_since_backup.delete_left(context, history)


@router.post("/bounce", dependencies=[REPEATABLE])
async def bounce_messages(context: RequestContext, named: NamedMessages) -> BounceChange:
    """Delete messages and send their senders a non-delivery report where one is allowed.

    Damaged ones stay, and are named with their damage.
    """
    return await bounce.bounce_messages(context, named)


@router.post("/release", dependencies=[REPEATABLE])
async def hold_messages_again(context: RequestContext, named: MessagesToHoldAgain) -> QueueRelease:
    """Hand over held messages now, and hold refused, uncertain or damaged recipients again.

    Only the named messages are handed over, at most 20 of a domain. With a status, or where both
    kinds are in one message, it is only held again. Messages that are still damaged stay, and are
    named with their damage.
    """
    return await queue_release.release_messages(context, named)


@router.post("/export", response_class=StreamingResponse, responses=of_octets(EXPORT_STREAM))
async def export_messages(context: RequestContext, order: ExportOrder) -> StreamingResponse:
    """Return messages with envelope and content as an export stream, and audit that."""
    return StreamingResponse(
        await queue_content.export_mail(context, order), media_type=EXPORT_STREAM
    )


@router.post("/import", status_code=201, openapi_extra={"requestBody": octets_body(EXPORT_STREAM)})
async def import_messages(
    context: RequestContext, request: Request, reason: str = ""
) -> list[ImportResult]:
    """Hold the messages of an import stream, all or none."""
    return await queue_import.import_mail(context, _body(request), reason)


@router.post("/digests")
async def digest_messages(context: RequestContext, order: DigestOrder) -> dict[str, str]:
    """Return the SHA-256 of messages' content, so that an interrupted import can resume."""
    return await queue_import.digest_content(context, order)


async def _body(request: Request) -> AsyncIterator[bytes]:
    """Yield a body as it arrives; an interrupted one is the client's error, not a defect."""
    try:
        async for octets in request.stream():
            yield octets
    except ClientDisconnect:
        raise TransferError(
            TransferFault.INTERRUPTED, "import: the stream was interrupted", "send it again"
        ) from None
