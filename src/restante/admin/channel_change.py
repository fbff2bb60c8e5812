"""The fields of a channel of notices, and the checked channel made from them.

A new channel and a changed one go through the same checks. No error repeats a URL or a key.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address, ip_address
from typing import Annotated, Final

import httpx
from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import MOST_CHOICES, AtMost, LineText, Secret
from restante.network.public_address import is_public
from restante.network.resolver import LookupFailed, Resolver
from restante.notices.mail_transport import is_hosted_here
from restante.notices.push_transport import read_push_url
from restante.notices.targets import NotAChannelTarget, read_mail_address, read_webhook
from restante.notices.transports import ChannelSecret, open_secret
from restante.notices.webhook_signature import key_octets
from restante.phrases import NOT_HOSTED, WRONG_KEY_FILE
from restante.tenancy.model import IpAddress
from restante.tenancy.notice import (
    OF_ACCOUNTS,
    OF_THE_SERVER,
    Channel,
    ChannelTransport,
    NoticeKind,
)
from restante.tenancy.sealed_secrets import SealBroken

GivenKinds = Annotated[tuple[NoticeKind, ...], AtMost(MOST_CHOICES)]
_LOOKUP_SECONDS: Final = 3.0  # somebody waits for the answer


class ChannelFields(BaseModel):
    """The fields of a new or changed channel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: Secret | None = None  # a URL
    key: Secret | None = None  # whsec_…, signs a webhook
    mail: LineText | None = None
    apprise: Secret | None = None  # a URL
    insecure: bool = False  # the webhook may be plain HTTP, as an operator decides


class NewChannel(ChannelFields):
    """The fields of a new channel: one of `webhook` (with `key`), `mail`, `apprise`."""

    name: LineText
    account: LineText = ""  # "": the principal's own
    kinds: GivenKinds = ()  # none: every kind that the channel can get
    all_accounts: bool = False  # the operator's own: also events of accounts


class ChannelChange(ChannelFields):
    """The fields to change; None leaves one unchanged.

    `webhook`, `mail`, `apprise`: the new target, for the transport that the channel has.
    """

    kinds: GivenKinds | None = None  # (): every kind that the channel can get
    all_accounts: bool | None = None

    @property
    def gives_something(self) -> bool:
        """Whether at least one field is given."""
        return self.insecure or any(value is not None for name, value in self if name != "insecure")


async def new_channel(context: AdminContext, new: NewChannel) -> Channel:
    """Return the channel to add. Raises AdminError."""
    transport = transport_given(new.name, new)
    if transport is None:
        raise _takes_one_transport(new.name)
    kinds = checked_kinds(new.name, new.account, new.kinds, all_accounts=new.all_accounts)
    bare = Channel(
        0, new.account, new.name, transport, "", None, kinds, context.now(), new.all_accounts
    )
    return await _directed(context, bare, new)


async def changed_channel(
    context: AdminContext, present: Channel, change: ChannelChange
) -> Channel:
    """Return a channel with the given fields replaced. Raises AdminError."""
    all_accounts = present.all_accounts if change.all_accounts is None else change.all_accounts
    wanted = _kinds_asked_for(present) if change.kinds is None else change.kinds
    kinds = checked_kinds(present.name, present.account, wanted, all_accounts=all_accounts)
    return await _directed(
        context, replace(present, kinds=kinds, all_accounts=all_accounts), change
    )


def gets_every_kind(channel: Channel) -> bool:
    """Return whether a channel gets every kind that it can get."""
    return channel.kinds == _kinds_allowed(channel.account, all_accounts=channel.all_accounts)


def wrong(name: str, kind: ErrorKind, cause: str, remedy: str) -> AdminError:
    """Make the error about a channel."""
    return AdminError(kind, f"notice channel {name}: {cause}", remedy)


# --- the target


async def _directed(context: AdminContext, channel: Channel, fields: ChannelFields) -> Channel:
    """Return a channel with the given target and key. Raises AdminError."""
    if fields.insecure:
        permit(context.principal, AdminAction.CHANNEL_EXPOSE)
    transport = transport_given(channel.name, fields)
    if transport not in (None, channel.transport):
        remedy = f"add another for {transport}, then remove this one"
        raise wrong(
            channel.name,
            ErrorKind.USAGE,
            f"its transport is {channel.transport} and cannot be changed",
            remedy,
        )
    if fields.insecure and fields.webhook is None:
        raise wrong(
            channel.name,
            ErrorKind.USAGE,
            "--insecure applies only to a webhook",
            "give the URL of the webhook, or leave out --insecure",
        )
    key = _checked_key(channel, fields)
    if transport is None and key is None:
        return channel
    url, shown = (
        (None, channel.target)
        if transport is None
        else await _read_target(context, channel, fields)
    )
    if channel.account and transport is ChannelTransport.WEBHOOK and url is not None:
        await _require_public_host(context, channel.name, url)
    if channel.transport == ChannelTransport.MAIL:
        return replace(channel, target=shown)
    sealed = _secret(context, channel, url, key).sealed(
        context.vault, channel.account, channel.name, channel.sealed
    )
    return replace(channel, target=shown, sealed=sealed)


def transport_given(name: str, fields: ChannelFields) -> ChannelTransport | None:
    """Return the transport of the given target, if there is one. Raises AdminError for two."""
    transports = {
        ChannelTransport.WEBHOOK: fields.webhook,
        ChannelTransport.MAIL: fields.mail,
        ChannelTransport.APPRISE: fields.apprise,
    }
    given = [transport for transport, target in transports.items() if target is not None]
    if len(given) > 1:
        raise _takes_one_transport(name)
    return given[0] if given else None


def _takes_one_transport(name: str) -> AdminError:
    remedy = "give a webhook, a mail address or a URL of Apprise's"
    return wrong(name, ErrorKind.USAGE, "a channel has exactly one transport", remedy)


async def _read_target(
    context: AdminContext, channel: Channel, fields: ChannelFields
) -> tuple[str, str]:
    """Return the target and its visible part. Raises AdminError."""
    name = channel.name
    try:
        if fields.apprise is not None:
            url = fields.apprise.get_secret_value()
            return await read_push_url(url, is_of_account=bool(channel.account))
        if fields.webhook is not None:
            return read_webhook(fields.webhook.get_secret_value(), is_plain_allowed=fields.insecure)
        assert fields.mail is not None
        address = _outside(context, name, read_mail_address(fields.mail))
    except NotAChannelTarget as error:
        raise wrong(name, ErrorKind.INVALID, str(error), error.remedy) from None
    return address, address


async def _require_public_host(context: AdminContext, name: str, url: str) -> None:
    """Raise AdminError if an account's webhook could never be sent, by its host's addresses.

    A name that cannot be looked up now is left to the sending, which checks each address.
    """
    if context.settings.private_addresses():
        return
    host = httpx.URL(url).raw_host.decode("ascii").strip("[]").rstrip(".")
    try:
        addresses = await _addresses(context.network.resolver, host)
    except (LookupFailed, TimeoutError):
        return
    if not any(map(is_public, addresses)):
        cause = f"{host} has no public address, and an account's notices reach no other"
        raise wrong(name, ErrorKind.INVALID, cause, "name a host of the public Internet")


async def _addresses(resolver: Resolver, host: str) -> Sequence[IpAddress]:
    """Return the addresses of a host. Raises LookupFailed, TimeoutError."""
    literal = _literal(host)
    if literal is None:
        resolver.forget(host)  # most likely its address was corrected
        async with asyncio.timeout(_LOOKUP_SECONDS):
            return await resolver.addresses(host)
    return [literal]


def _literal(host: str) -> IpAddress | None:
    """Return the address that a host is, None for a name.

    Programs that ask the system take 2130706433 and 0x7f.1 for addresses. No such name exists.
    """
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _outside(context: AdminContext, name: str, address: str) -> str:
    """Return an address that is not ours. Raises AdminError."""
    if is_hosted_here(address, context.directory.now, context.network.hostname):
        cause = f"mail to {address} is held here, so its notices would be held too"
        raise wrong(
            name, ErrorKind.INVALID, cause, f"name an address in a domain that {NOT_HOSTED}"
        )
    return address


# --- the secret


def _checked_key(channel: Channel, fields: ChannelFields) -> str | None:
    """Return the given key. Raises AdminError, also if a required one is missing."""
    if channel.transport != ChannelTransport.WEBHOOK:
        if fields.key is not None:
            raise wrong(
                channel.name, ErrorKind.USAGE, "only webhooks are signed", "leave out the key"
            )
        return None
    if fields.key is None and channel.sealed is not None:
        return None
    remedy = "write whsec_ and the base64 of 24 to 64 random octets, or have one generated"
    if fields.key is None:
        raise wrong(channel.name, ErrorKind.INVALID, "a webhook needs a key", remedy)
    key = fields.key.get_secret_value().strip()
    try:
        key_octets(key)
    except ValueError:
        raise wrong(channel.name, ErrorKind.INVALID, "its key cannot be used", remedy) from None
    return key


def _secret(
    context: AdminContext, channel: Channel, url: str | None, key: str | None
) -> ChannelSecret:
    """Return the secret to seal: the given parts, otherwise the old ones. Raises AdminError."""
    if url is not None and (key is not None or channel.transport != ChannelTransport.WEBHOOK):
        return ChannelSecret(url, key or "")
    try:
        was = open_secret(context.vault, channel)
    except SealBroken:
        remedy = "give URL and key again"
        raise wrong(
            channel.name,
            ErrorKind.CONFLICT,
            f"its secret {WRONG_KEY_FILE}",
            remedy,
        ) from None
    return ChannelSecret(was.url if url is None else url, was.key if key is None else key)


# --- the kinds


def _kinds_allowed(account: str, *, all_accounts: bool) -> frozenset[NoticeKind]:
    """Return every kind that a channel can get."""
    return (
        OF_ACCOUNTS if account else OF_THE_SERVER | (OF_ACCOUNTS if all_accounts else frozenset())
    )


def checked_kinds(
    name: str, account: str, kinds: tuple[NoticeKind, ...], *, all_accounts: bool
) -> frozenset[NoticeKind]:
    """Return the kinds of the channel. Raises AdminError for one that it can never get."""
    if all_accounts and account:
        raise wrong(
            name,
            ErrorKind.USAGE,
            "an account cannot get notices of other accounts",
            "leave out --account or --all-accounts",
        )
    allowed = _kinds_allowed(account, all_accounts=all_accounts)
    wanted = frozenset(kinds) or allowed
    if impossible := sorted(wanted - allowed):
        remedy = "choose other kinds, or give --account or --all-accounts to include accounts"
        raise wrong(name, ErrorKind.INVALID, f"it can never get {', '.join(impossible)}", remedy)
    return wanted


def _kinds_asked_for(channel: Channel) -> tuple[NoticeKind, ...]:
    """Return the kinds as they were given: none for every one.

    With all accounts, that is a different set.
    """
    return () if gets_every_kind(channel) else tuple(channel.kinds)
