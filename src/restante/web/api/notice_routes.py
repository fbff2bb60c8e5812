"""Routes of channels."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from restante.admin import channels, known_records, past_notices
from restante.admin.channel_change import ChannelChange, NewChannel
from restante.admin.channels import ChangedChannel, ChannelView, TrialView, WaitingView
from restante.admin.past_notices import PastNoticeView, PastSelection, SentAgain
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.null_fields import clearing
from restante.web.api.paging import PAGED, ListPage, WantedPage, as_listing_page, as_page
from restante.web.api.preconditions import (
    TAGGED,
    IfMatch,
    IfNoneMatch,
    added_response,
    changed_response,
    shown,
    unchanged_add,
)
from restante.web.api.request_context import OwnAccount, ReadingContext, ReasonParam, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/notices", tags=["notices"])


@router.post(
    "/channels",
    status_code=201,
    response_model=ChangedChannel,
    responses=unchanged_add(ChangedChannel),
    dependencies=[REPEATABLE],
)
async def add_channel(context: RequestContext, new: NewChannel) -> Response:
    """Add a channel. If it is there with the given values, nothing is changed."""
    view = await channels.add_channel(context, new)
    return added_response(view, view.changes)


@router.get("/channels", response_model=list[ChannelView], responses=PAGED)
async def list_channels(
    context: ReadingContext, page: ListPage, account: str | None = None
) -> Response:
    """List channels, all or an account's."""
    views = channels.list_channels(context, account, after=page.after)
    return await as_page(views, page, _place_of)


@router.get("/channels/{name}", response_model=ChannelView, responses=TAGGED)
async def show_channel(
    context: ReadingContext, name: str, known: IfNoneMatch, account: OwnAccount
) -> Response:
    """Show one channel."""
    view = channels.show_channel(context, account, name)
    return shown(known_records.known_channel(context, account, name), view, known)


@router.patch("/channels/{name}", response_model=ChangedChannel)
async def change_channel(  # noqa: PLR0917
    context: RequestContext,
    name: str,
    wanted: Annotated[ChannelChange, clearing(ChannelChange)],
    reason: ReasonParam,
    precondition: IfMatch,
    account: OwnAccount,
) -> Response:
    """Change the given fields; waiting notices leave by the changed channel."""
    find = partial(known_records.known_channel, context, account, name)
    async with precondition.holding(find):
        view = await channels.change_channel(context, account, name, wanted, reason)
        return changed_response(find, view)


@router.delete("/channels/{name}", status_code=204)
async def remove_channel(
    context: RequestContext,
    name: str,
    reason: ReasonParam,
    precondition: IfMatch,
    account: OwnAccount,
) -> None:
    """Remove a channel, and the notices that wait for it."""
    async with precondition.holding(partial(known_records.known_channel, context, account, name)):
        await channels.remove_channel(context, account, name, reason)


@router.post("/channels/{name}/test", dependencies=[REPEATABLE])
async def try_channel(context: RequestContext, name: str, account: OwnAccount) -> TrialView:
    """Send a notice by a channel now, and show the result."""
    return await channels.try_channel(context, account, name)


@router.get("/waiting", response_model=list[WaitingView], responses=PAGED)
async def list_waiting_notices(
    context: ReadingContext, page: ListPage, account: str | None = None
) -> Response:
    """List notices that wait to be sent, oldest first."""
    found = await channels.list_waiting(context, account, page.after, page.limit)
    return await as_listing_page(found, page)


@router.get("/past", response_model=list[PastNoticeView], responses=PAGED)
async def list_past_notices(
    context: ReadingContext, request: Request, selection: Annotated[PastSelection, Query()]
) -> Response:
    """List notices that were sent or given up, newest first: the last 200 of each channel."""
    wanted = WantedPage(selection.after, selection.limit, request)
    return await as_listing_page(await past_notices.list_past(context, selection), wanted)


@router.post("/channels/{name}/again", status_code=202, dependencies=[REPEATABLE])
async def send_notice_again(
    context: RequestContext, name: str, again: SentAgain, account: OwnAccount
) -> None:
    """Send a past notice of a channel again, under its id."""
    await past_notices.send_again(context, account, name, again)


def _place_of(view: ChannelView) -> str:
    return f"{view.account}/{view.name}"
