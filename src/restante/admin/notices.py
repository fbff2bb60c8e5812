"""Channels of notices: an account's, which hear of that account alone, and the operator's own.

A view never holds a secret: of a URL, scheme and host are shown. Who makes a key shows it once, then forgets it.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from restante.admin.accounts import find_account
from restante.admin.errors import AdminError, Kind
from restante.admin.office import Office
from restante.admin.trail import changed, checked_reason, entry, moment
from restante.notices.attempt import Attempt, End
from restante.notices.letter import is_hosted_here
from restante.notices.push import read_push_url
from restante.notices.signature import key_octets
from restante.notices.targets import NotATarget, read_mail_address, read_webhook
from restante.notices.ways import ChannelSecret
from restante.store.errors import Conflict
from restante.tenancy.audit import AuditAction
from restante.tenancy.notice import OF_ACCOUNTS, OF_THE_SERVER, Channel, News, Notice, NoticeKind, Way

TRIAL_SECONDS: Final = 60.0  # mail may take longer, but nobody waits for it so long
NAME: Final = re.compile(r"[a-z0-9._-]{1,64}\Z")


class NewChannel(BaseModel):
    """What it takes to add one: one of `webhook` (with `key`), `mail`, `apprise`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    account: str = ""  # "": the operator's own
    webhook: SecretStr | None = None
    key: SecretStr | None = None  # whsec_…
    mail: str | None = None
    apprise: SecretStr | None = None  # a URL
    kinds: tuple[NoticeKind, ...] = ()  # none: every one that concerns whom it is for
    all_accounts: bool = False  # the operator's own: also what concerns accounts
    insecure: bool = False  # plain HTTP may be used


class ChannelView(BaseModel):
    """A channel as it is shown."""

    name: str
    account: str
    way: str
    target: str
    kinds: list[str]
    all_accounts: bool
    created_at: datetime


class WaitingView(BaseModel):
    """A notice that was not sent yet."""

    id: str
    channel: str
    account: str
    kind: str
    about: str
    text: str
    at: datetime  # when it happened
    held_back: int  # so much of the same was not told
    failures: int
    next_attempt_at: datetime
    reply: str  # why the last attempt failed


class TrialView(BaseModel):
    """How sending a notice went."""

    is_sent: bool
    text: str


async def add_channel(office: Office, new: NewChannel) -> ChannelView:
    """Add a channel. Raises AdminError."""
    if not NAME.match(new.name):
        remedy = "use 1 to 64 of a-z 0-9 . _ -"
        raise AdminError(Kind.INVALID, f"notice channel {new.name!r}: not a name for a channel", remedy)
    if new.account:
        find_account(office, new.account)
    if office.directory.now.channel(new.account, new.name):
        raise _taken(new)
    way, target, secret = await _read_target(office, new)
    sealed = secret.sealed(office.vault, new.account, new.name) if secret is not None else None
    kinds = _checked_kinds(new)
    channel = Channel(0, new.account, new.name, way, target, sealed, kinds, office.now(), new.all_accounts)
    recorded = entry(office, AuditAction.CHANNEL_ADDED, new.name, new.account, f"{way} {target}")
    try:
        stored = await office.store.put_channel(channel, recorded)
    except Conflict:
        raise _taken(new) from None
    await changed(office, recorded)
    return _view(stored)


def list_channels(office: Office, account: str | None = None) -> Sequence[ChannelView]:
    """Return channels by account and name, the operator's own first: all, or an account's. Raises AdminError."""
    if account:
        find_account(office, account)
    channels = sorted(office.directory.now.channels.values(), key=lambda one: (one.account, one.name))
    return [_view(channel) for channel in channels if account in (None, channel.account)]


async def remove_channel(office: Office, account: str, name: str, reason: str) -> None:
    """Remove it, and the notices that wait for it. Raises AdminError if it is not there."""
    channel = _find_channel(office, account, name)
    recorded = entry(office, AuditAction.CHANNEL_REMOVED, name, account, checked_reason(reason))
    await office.store.remove_channel(channel.id, recorded)
    await changed(office, recorded)


async def try_channel(office: Office, account: str, name: str) -> TrialView:
    """Send a notice now, once. Raises AdminError if there is no such channel."""
    channel = _find_channel(office, account, name)
    text = f"This is a test of the notice channel {name}: it works if you read this."
    news = News(NoticeKind.TEST, account, name, text, office.now())
    notice = Notice(0, channel.id, token_hex(16), news, 0, office.now(), office.now())
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            attempt = await office.ways.send(channel, notice)
    except TimeoutError:
        attempt = Attempt(End.NOT_NOW, "no answer in time")
    return TrialView(is_sent=attempt.end is End.SENT, text=attempt.text)


async def list_waiting(
    office: Office, account: str | None = None, limit: Annotated[int, Field(ge=1)] = 100
) -> Sequence[WaitingView]:
    """Return notices that wait, oldest first: all, or those of an account's channels. Raises AdminError."""
    if account:
        find_account(office, account)
    channels = office.directory.now.channels
    wanted = None if account is None else [one.id for one in channels.values() if one.account == account]
    waiting = await office.store.list_notices(limit, wanted)
    return [_waiting_view(notice, channels[notice.channel_id]) for notice in waiting if notice.channel_id in channels]


async def _read_target(office: Office, new: NewChannel) -> tuple[Way, str, ChannelSecret | None]:
    """Return by which way, where to as it may be shown, and what is to be sealed. Raises AdminError."""
    if sum(one is not None for one in (new.webhook, new.mail, new.apprise)) != 1:
        raise _wrong(new, Kind.USAGE, "it takes one way", "give a webhook, a mail address or a URL of Apprise's")
    try:
        if new.apprise is not None:
            url, shown = await read_push_url(new.apprise.get_secret_value())
            return Way.APPRISE, shown, ChannelSecret(url)
        if new.mail is not None:
            return Way.MAIL, _outside(office, new, read_mail_address(new.mail)), None
        assert new.webhook is not None
        url, shown = read_webhook(new.webhook.get_secret_value(), is_plain_allowed=new.insecure)
    except NotATarget as error:
        raise _wrong(new, Kind.INVALID, str(error), error.remedy) from None
    return Way.WEBHOOK, shown, ChannelSecret(url, _checked_key(new))


def _outside(office: Office, new: NewChannel, address: str) -> str:
    """Return an address that is not ours. Raises AdminError."""
    if is_hosted_here(address, office.directory.now, office.hostname):
        cause = f"mail to {address} is held here, and so would the notice of it be"
        raise _wrong(new, Kind.INVALID, cause, "name an address in a domain that is not hosted here")
    return address


def _checked_key(new: NewChannel) -> str:
    key = new.key.get_secret_value().strip() if new.key is not None else ""
    try:
        key_octets(key)
    except ValueError:
        remedy = "write whsec_ and the base64 of 24 to 64 random octets, or let one be made"
        raise _wrong(new, Kind.INVALID, "its key cannot be used", remedy) from None
    return key


def _checked_kinds(new: NewChannel) -> frozenset[NoticeKind]:
    """Return what the channel hears. Raises AdminError where it never would."""
    if new.all_accounts and new.account:
        raise _wrong(new, Kind.USAGE, "no account hears of others", "leave out --account or --all-accounts")
    heard = OF_ACCOUNTS if new.account else OF_THE_SERVER | (OF_ACCOUNTS if new.all_accounts else frozenset())
    wanted = frozenset(new.kinds) or heard
    if deaf := sorted(wanted - heard):
        remedy = "name others, or hear of accounts by --account or --all-accounts"
        raise _wrong(new, Kind.INVALID, f"it would never hear of {', '.join(deaf)}", remedy)
    return wanted


def _find_channel(office: Office, account: str, name: str) -> Channel:
    channel = office.directory.now.channel(account, name)
    if channel is None:
        whose = f"account {account} has" if account else "the operator has"
        remedy = "`restante notice list` shows all"
        raise AdminError(Kind.NOT_FOUND, f"notice channel {name}: {whose} none of that name", remedy)
    return channel


def _wrong(new: NewChannel, kind: Kind, cause: str, remedy: str) -> AdminError:
    return AdminError(kind, f"notice channel {new.name}: {cause}", remedy)


def _taken(new: NewChannel) -> AdminError:
    return _wrong(new, Kind.EXISTS, "is there already", "choose another name, or remove it first")


def _view(channel: Channel) -> ChannelView:
    return ChannelView(
        name=channel.name,
        account=channel.account,
        way=channel.way,
        target=channel.target,
        kinds=sorted(channel.kinds),
        all_accounts=channel.hears_all,
        created_at=moment(channel.created_at),
    )


def _waiting_view(notice: Notice, channel: Channel) -> WaitingView:
    return WaitingView(
        id=notice.key,
        channel=channel.name,
        account=channel.account,
        kind=notice.news.kind,
        about=notice.news.about,
        text=notice.news.text,
        at=moment(notice.news.at),
        held_back=notice.held_back,
        failures=notice.failures,
        next_attempt_at=moment(notice.next_attempt_at),
        reply=notice.reply,
    )
