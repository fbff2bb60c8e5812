"""Notices that were sent or given up, and sending one of them again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.channels import allow_channel_check, check_owner, find_channel
from restante.admin.listing_page import PAGE_ROWS, Cursor, ListingPage, PageLimit, number_at
from restante.admin.permissions import AdminAction, permit
from restante.admin.scope import account_in_scope
from restante.store.notice_store import PAST_KEPT
from restante.tenancy.notice import Channel, NewNotice, PastNotice

_NO_LIMIT: Final = 1_000_000  # so that no notice that waits is dropped for this one


class PastSelection(BaseModel):
    """Which past notices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Annotated[str, Field(max_length=64)] | None = None  # None: all
    channel: Annotated[str, Field(max_length=64)] | None = None  # of the account
    after: Cursor = ""
    limit: PageLimit = PAGE_ROWS


class PastNoticeView(BaseModel):
    """A notice that was sent or given up."""

    number: int
    id: str
    channel: str
    account: str
    kind: str
    about: str
    text: str
    at: datetime  # of the cause
    held_back: int  # the number of similar events that were not sent
    ended_at: datetime
    is_sent: bool  # false: it was given up
    failures: int
    reply: str  # of the last attempt


class SentAgain(BaseModel):
    """The notice to send again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=64)]


async def list_past(context: AdminContext, wanted: PastSelection) -> ListingPage[PastNoticeView]:
    """Return past notices, newest first. Raises AdminError."""
    permit(context.principal, AdminAction.NOTICES_LIST)
    before = number_at(wanted.after)
    channels = context.directory.now.channels
    found = await context.store.notices.past_notices(
        _channel_ids(context, wanted), before, wanted.limit + 1
    )
    shown = found[: wanted.limit]
    return ListingPage(
        (_view(one, channels[one.channel_id]) for one in shown if one.channel_id in channels),
        str(shown[-1].number) if len(found) > wanted.limit else None,
    )


async def send_again(context: AdminContext, account: str, name: str, again: SentAgain) -> None:
    """Have a past notice of a channel sent again, under its id. Raises AdminError."""
    permit(context.principal, AdminAction.CHANNEL_TEST)
    channel = find_channel(context, account, name)
    past = await context.store.notices.past_notices([channel.id], None, PAST_KEPT)
    notice = next((one for one in past if one.key == again.id), None)
    if notice is None:
        raise AdminError(
            ErrorKind.NOT_FOUND,
            f"notice {again.id}: not among the last {PAST_KEPT} of channel {name}",
            "list the notices of the channel",
        )
    allow_channel_check(context, channel)
    new = NewNotice(channel.id, notice.key, notice.facts, notice.held_back, context.now())
    await context.store.notices.keep_notices([new], [], [], _NO_LIMIT)
    if context.server is not None:
        context.server.send_notices()


def _channel_ids(context: AdminContext, wanted: PastSelection) -> Sequence[int] | None:
    """Return the channels to read; None: all. Raises AdminError."""
    account = account_in_scope(context, wanted.account)
    if wanted.channel is not None:
        return [find_channel(context, account or "", wanted.channel).id]
    if account is None:
        return None if context.principal.sees_everything else []
    check_owner(context, account)
    return [one.id for one in context.directory.now.channels_of(account)]


def _view(notice: PastNotice, channel: Channel) -> PastNoticeView:
    return PastNoticeView(
        number=notice.number,
        id=notice.key,
        channel=channel.name,
        account=channel.account,
        kind=notice.facts.kind,
        about=notice.facts.about,
        text=notice.facts.text,
        at=moment(notice.facts.at),
        held_back=notice.held_back,
        ended_at=moment(notice.ended_at),
        is_sent=notice.is_sent,
        failures=notice.failures,
        reply=notice.reply,
    )
