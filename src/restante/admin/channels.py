"""Channels of notices: an account's, which get that account's notices, and the operator's own.

A view never holds a secret: it shows scheme and host of a URL. A caller that makes a key shows it
once, then forgets it.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from restante.admin.accounts import find_account
from restante.admin.add_or_find import AddedMeanwhile, add_or_find
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import (
    ChangeView,
    change_views,
    changed,
    checked_reason,
    entry,
    moment,
    overtaken,
    with_changes,
)
from restante.admin.channel_change import (
    ChannelChange,
    NewChannel,
    changed_channel,
    gets_every_kind,
    new_channel,
    transport_given,
    wrong,
)
from restante.admin.compared_secrets import judge_secret
from restante.admin.destinations import allow_dial
from restante.admin.listing_page import PAGE_ROWS, ListingPage, number_at
from restante.admin.permissions import AdminAction, permit
from restante.admin.repeated_add import refuse_difference
from restante.admin.scope import account_in_scope, owner_of
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.past_notice import past_notice
from restante.phrases import EXISTS, REMOVED_MEANWHILE, did_you_mean, none_of_that_name
from restante.request_limits.dial_limits import DialPurpose
from restante.store.store_errors import Conflict, Overtaken, StoreError
from restante.tenancy.audit import AuditAction
from restante.tenancy.notice import Channel, ChannelTransport, Notice, NoticeFacts, NoticeKind
from restante.tenancy.record_change import changes_between

TRIAL_SECONDS: Final = 60.0  # mail may take longer, but nobody waits that long
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


class ChannelView(BaseModel):
    """A channel as it is shown."""

    name: str
    account: str
    transport: str
    target: str
    kinds: list[str]
    is_every_kind: bool  # that the channel can get
    all_accounts: bool
    created_at: datetime


class ChangedChannel(ChannelView):
    """A channel after a change, and the changes: none if nothing differed."""

    changes: list[ChangeView]


class WaitingView(BaseModel):
    """A notice that was not sent yet."""

    id: str
    channel: str
    account: str
    kind: str
    about: str
    text: str
    at: datetime  # when it happened
    held_back: int  # the number of similar events that were not sent
    failures: int
    next_attempt_at: datetime
    reply: str  # why the last attempt failed


class TrialView(BaseModel):
    """The result of a trial notice."""

    is_sent: bool
    text: str


async def add_channel(context: AdminContext, new: NewChannel) -> ChangedChannel:
    """Add a channel, unless it is there with the given values. Raises AdminError."""
    permit(context.principal, AdminAction.CHANNEL_ADD)
    new = new.model_copy(update={"account": owner_of(context, new.account)})
    return await add_or_find(context, lambda: _added(context, new))


async def _added(context: AdminContext, new: NewChannel) -> ChangedChannel:
    check_name(new.name)
    check_owner(context, new.account)
    if (present := context.directory.now.channel(new.account, new.name)) is not None:
        return await _added_again(context, present, new)
    return await store_channel(context, None, await new_channel(context, new))


async def _added_again(context: AdminContext, present: Channel, new: NewChannel) -> ChangedChannel:
    """Return a channel that is there with the given values. Raises AdminError for other values."""
    remedy = f"choose another name, or change it by `restante notice set {new.name}`"
    transport = transport_given(new.name, new) or present.transport
    if transport == present.transport:
        given = new.model_dump(exclude={"name", "account"}, exclude_unset=True)
        wanted = await changed_channel(context, present, ChannelChange(**given))
    else:
        wanted = replace(present, transport=transport)
        remedy = f"choose another name, or remove it by `restante notice remove {new.name}`"
    thing = f"notice channel {new.name}"
    judge_secret(context, f"{new.account} {thing}", is_same=wanted.sealed == present.sealed)
    refuse_difference(thing, changes_between(present, wanted), remedy)
    return ChangedChannel(**dict(_view(present)), changes=[])


async def change_channel(
    context: AdminContext, account: str, name: str, change: ChannelChange, reason: str
) -> ChangedChannel:
    """Change the given fields; waiting notices leave by the changed channel. Raises AdminError."""
    permit(context.principal, AdminAction.CHANNEL_CHANGE)
    present = find_channel(context, account, name)
    if not change.gives_something:
        raise wrong(
            name,
            ErrorKind.USAGE,
            "nothing to change",
            "give at least one option in addition to the reason",
        )
    channel = await changed_channel(context, present, change)
    return await store_channel(context, present, channel, checked_reason(reason))


def check_name(name: str) -> None:
    """Raise AdminError for a text that is no name for a channel."""
    if not NAME.match(name):
        remedy = "use 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit"
        raise AdminError(
            ErrorKind.INVALID, f"notice channel {name!r}: not a name for a channel", remedy
        )


def list_channels(
    context: AdminContext, account: str | None = None, after: str = ""
) -> Iterator[ChannelView]:
    """Yield channels by account and name, the operator's own first: all, or an account's.

    `after` is the account, a slash, and the name of the last one that is left out. Raises
    AdminError at once.
    """
    permit(context.principal, AdminAction.CHANNEL_LIST)
    account = account_in_scope(context, account)
    if account is not None:
        check_owner(context, account)
    directory = context.directory.now
    wanted = directory.channels.values() if account is None else directory.channels_of(account)
    last, _, name = after.partition("/")
    seen = [
        one
        for one in wanted
        if context.principal.sees(one.account) and (one.account, one.name) > (last, name)
    ]
    return map(_view, sorted(seen, key=lambda one: (one.account, one.name)))


def show_channel(context: AdminContext, account: str, name: str) -> ChannelView:
    """Return a channel. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.CHANNEL_LIST)
    return _view(find_channel(context, account, name))


async def remove_channel(context: AdminContext, account: str, name: str, reason: str) -> None:
    """Remove it, and the notices that wait for it. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.CHANNEL_REMOVE)
    channel = find_channel(context, account, name)
    removed = changes_between(channel, None)
    recorded = with_changes(
        entry(context, AuditAction.CHANNEL_REMOVED, name, account, checked_reason(reason)), removed
    )
    await context.store.records.remove_channel(channel.id, recorded)
    await changed(context, recorded)


async def try_channel(context: AdminContext, account: str, name: str) -> TrialView:
    """Send a notice now, once. Raises AdminError if there is no such channel."""
    permit(context.principal, AdminAction.CHANNEL_TEST)
    channel = find_channel(context, account, name)
    allow_channel_check(context, channel)
    text = f"This is a test of the notice channel {name}: it works if you read this."
    facts = NoticeFacts(NoticeKind.TEST, account, name, text, context.now())
    notice = Notice(0, channel.id, token_hex(16), facts, 0, context.now(), context.now())
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            attempt = await context.parts.transports.send(channel, notice)
    except TimeoutError:
        attempt = NoticeAttempt(NoticeResult.NOT_NOW, "no answer in time")
    with suppress(StoreError):  # the answer is worth more than its record
        await context.store.notices.settle_notices(
            [], [past_notice(notice, attempt, context.now())]
        )
    return TrialView(is_sent=attempt.end is NoticeResult.SENT, text=attempt.text)


def allow_channel_check(context: AdminContext, channel: Channel) -> None:
    """Count a notice that an account sends by hand. Raises AdminError beyond the limits."""
    allow_dial(context, DialPurpose.TEST, f"notice channel {channel.name}", _dialed(channel))


def _dialed(channel: Channel) -> str:
    """Return the host or the mail address that a channel reaches; of Apprise's, the service."""
    if channel.transport == ChannelTransport.MAIL:
        return channel.target.casefold()
    url = urlsplit(channel.target)
    is_webhook = channel.transport == ChannelTransport.WEBHOOK
    return (url.hostname or "").rstrip(".") if is_webhook else url.scheme


async def list_waiting(
    context: AdminContext,
    account: str | None = None,
    after: str = "",
    limit: int = PAGE_ROWS,
) -> ListingPage[WaitingView]:
    """Return the first waiting notices, oldest first: all, or those of an account's channels.

    Raises AdminError.
    """
    permit(context.principal, AdminAction.NOTICES_LIST)
    begin = number_at(after) or 0
    account = account_in_scope(context, account)
    if account is not None:
        check_owner(context, account)
    directory = context.directory.now
    channels = directory.channels
    if account is not None:
        wanted: list[int] | None = [one.id for one in directory.channels_of(account)]
    else:
        wanted = None if context.principal.sees_everything else []
    rows = await context.store.notices.list_notices(limit + 1, wanted, begin)
    shown = rows[:limit]
    return ListingPage(
        (
            _waiting_view(one, channels[one.channel_id])
            for one in shown
            if one.channel_id in channels
        ),
        str(shown[-1].number) if len(rows) > limit else None,
    )


async def store_channel(
    context: AdminContext, present: Channel | None, channel: Channel, reason: str = ""
) -> ChangedChannel:
    """Store a channel that differs from the present one; None: there is none."""
    changes = changes_between(present, channel)
    if present is not None and not changes:
        return ChangedChannel(**dict(_view(channel)), changes=[])
    action = AuditAction.CHANNEL_ADDED if present is None else AuditAction.CHANNEL_CHANGED
    recorded = with_changes(entry(context, action, channel.name, channel.account, reason), changes)
    try:
        stored = await context.store.records.put_channel(channel, recorded, before=present)
    except Overtaken:
        raise await overtaken(context, f"notice channel {channel.name}") from None
    except Conflict:
        if channel.id == 0:
            raise AddedMeanwhile(_taken(channel.name)) from None
        raise wrong(
            channel.name, ErrorKind.CONFLICT, REMOVED_MEANWHILE, "add it again by `notice add`"
        ) from None
    await changed(context, recorded)
    return ChangedChannel(**dict(_view(stored)), changes=change_views(changes))


def find_channel(context: AdminContext, account: str, name: str) -> Channel:
    """Return the channel of that name. Raises AdminError."""
    channel = context.directory.now.channel(account, name)
    if channel is None or not context.principal.sees(account):
        remedy = f"{_meant(context, account, name)} `restante notice list` shows all".lstrip()
        raise AdminError(
            ErrorKind.NOT_FOUND, f"notice channel {name}: {none_of_that_name(account)}", remedy
        )
    return channel


def _meant(context: AdminContext, account: str, name: str) -> str:
    """Return a question for another channel that exists for the principal; "" if none is alike."""
    directory, sees = context.directory.now, context.principal.sees
    own = (one.name for one in directory.channels_of(account) if sees(account))
    if meant := did_you_mean(name, own):
        return meant
    accounts = sorted(
        one.account for one in directory.channels.values() if one.name == name and sees(one.account)
    )
    owner = f"--account {accounts[0]}" if accounts and accounts[0] else "no --account"
    return f"did you mean {owner}?" if accounts else ""


def check_owner(context: AdminContext, account: str) -> None:
    """Raise AdminError for an account that is not there, or not in scope; "" is the operator."""
    if account or not context.principal.sees(account):
        find_account(context, account)


def _taken(name: str) -> AdminError:
    return wrong(
        name,
        ErrorKind.EXISTS,
        EXISTS,
        f"choose another name, or change it by `restante notice set {name}`",
    )


def _view(channel: Channel) -> ChannelView:
    return ChannelView(
        name=channel.name,
        account=channel.account,
        transport=channel.transport,
        target=channel.target,
        kinds=sorted(channel.kinds),
        is_every_kind=gets_every_kind(channel),
        all_accounts=channel.all_accounts,
        created_at=moment(channel.created_at),
    )


def _waiting_view(notice: Notice, channel: Channel) -> WaitingView:
    return WaitingView(
        id=notice.key,
        channel=channel.name,
        account=channel.account,
        kind=notice.facts.kind,
        about=notice.facts.about,
        text=notice.facts.text,
        at=moment(notice.facts.at),
        held_back=notice.held_back,
        failures=notice.failures,
        next_attempt_at=moment(notice.next_attempt_at),
        reply=notice.reply,
    )
