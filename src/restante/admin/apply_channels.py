"""The change of a channel of notices that an entry of a configuration wants."""

import binascii
from base64 import b64decode
from dataclasses import replace
from functools import partial

from pydantic import SecretStr

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import ErrorKind
from restante.admin.apply_removals import channel_removal
from restante.admin.apply_steps import ApplyOptions, ApplyStage, ApplyStep, check_same, verb_of
from restante.admin.channel_change import (
    ChannelChange,
    NewChannel,
    changed_channel,
    checked_kinds,
    new_channel,
    transport_given,
    wrong,
)
from restante.admin.channels import check_name, store_channel
from restante.admin.compared_secrets import judge_secret
from restante.admin.configuration_entries import ChannelEntry
from restante.admin.permissions import AdminAction, permit
from restante.notices.transports import open_secret
from restante.notices.webhook_signature import new_signing_key
from restante.phrases import WRONG_KEY_FILE
from restante.tenancy.notice import Channel, ChannelTransport
from restante.tenancy.record_change import changes_between
from restante.tenancy.sealed_secrets import SealBroken


async def plan_channel(
    context: AdminContext, entry: ChannelEntry, options: ApplyOptions
) -> list[ApplyStep]:
    """Return the steps for an entry: none if nothing differs. Raises AdminError.

    A channel keeps its transport. To give it another, the present one is removed first, if
    unnamed things may be pruned. The caller has checked that the account is there, or will be.
    """
    present = context.directory.now.channel(entry.account, entry.name)
    transport = _transport(entry)
    if present is None or transport in (None, present.transport):
        return await _steps(context, entry, present, transport, options)
    if not options.is_pruning:
        remedy = "use --prune to replace it, which drops its waiting notices"
        cause = f"its transport is {present.transport} and cannot be changed"
        raise wrong(entry.name, ErrorKind.CONFLICT, cause, remedy)
    removal = channel_removal(context, present, ApplyStage.MAKE_ROOM, options.reason)
    return [removal, *await _steps(context, entry, None, transport, options)]


def _transport(entry: ChannelEntry) -> ChannelTransport | None:
    """Return the transport that an entry names. Raises AdminError for two different ones."""
    transport = transport_given(entry.name, entry)
    if transport is not None and entry.transport not in (None, transport):
        cause = f"its transport is {entry.transport}, but it has a target for {transport}"
        raise wrong(entry.name, ErrorKind.USAGE, cause, "write one transport")
    return transport or entry.transport


async def _steps(
    context: AdminContext,
    entry: ChannelEntry,
    present: Channel | None,
    transport: ChannelTransport | None,
    options: ApplyOptions,
) -> list[ApplyStep]:
    key = None
    if present is not None and _has_secret(entry):
        permit(context.principal, AdminAction.CHANNEL_CHANGE)  # it must not try URLs either
    if present is None:
        check_name(entry.name)
        if (
            transport is ChannelTransport.WEBHOOK
            and entry.webhook is not None
            and entry.key is None
        ):
            key = new_signing_key()
    wanted = await _wanted(context, entry if key is None else _signed(entry, key), present, options)
    if present is not None and _has_secret(entry):
        thing = f"{entry.account} notice channel {entry.name}"
        judge_secret(context, thing, is_same=wanted.sealed == present.sealed)
    changes = changes_between(present, wanted)
    if not changes:
        return []
    permit(
        context.principal,
        AdminAction.CHANNEL_ADD if present is None else AdminAction.CHANNEL_CHANGE,
    )
    work = partial(_store, context, present, wanted, key, options.reason)
    return [
        ApplyStep(
            ApplyStage.CHANNELS,
            verb_of(present),
            "channel",
            entry.name,
            entry.account,
            changes,
            work,
        )
    ]


def _has_secret(entry: ChannelEntry) -> bool:
    secrets = (entry.webhook, entry.key, entry.apprise, entry.sealed)
    return any(one is not None for one in secrets)


def _signed(entry: ChannelEntry, key: str) -> ChannelEntry:
    return entry.model_copy(update={"key": SecretStr(key)})


async def _wanted(
    context: AdminContext,
    entry: ChannelEntry,
    present: Channel | None,
    options: ApplyOptions,
) -> Channel:
    """Return the channel as it should be. Raises AdminError."""
    if entry.sealed is not None:
        return _sealed(context, entry, present, entry.sealed)
    fields = entry.model_dump(include={"webhook", "key", "mail", "apprise", "insecure"})
    fields["insecure"] = entry.insecure and entry.webhook is not None
    if present is None:
        if transport_given(entry.name, entry) is None:
            remedy = (
                "write webhook, mail or apprise; `export-config --with-secrets` has sealed URLs"
            )
            raise wrong(entry.name, ErrorKind.USAGE, "a new channel needs its target", remedy)
        new = NewChannel(
            name=entry.name,
            account=entry.account,
            kinds=entry.kinds or (),
            all_accounts=bool(entry.all_accounts),
            **fields,
        )
        return await new_channel(context, new)
    kinds = () if entry.kinds is None and options.is_pruning else entry.kinds
    all_accounts = (
        False if entry.all_accounts is None and options.is_pruning else entry.all_accounts
    )
    change = ChannelChange(kinds=kinds, all_accounts=all_accounts, **fields)
    return await changed_channel(context, present, change)


def _sealed(
    context: AdminContext, entry: ChannelEntry, present: Channel | None, text: str
) -> Channel:
    """Return a channel with an exported secret. Raises AdminError."""
    given = (entry.webhook, entry.key, entry.mail, entry.apprise)
    if entry.transport in (None, ChannelTransport.MAIL) or any(one is not None for one in given):
        cause = "sealed needs transport and target, and nothing else"
        raise wrong(entry.name, ErrorKind.USAGE, cause, "write it as export-config does")
    all_accounts = bool(entry.all_accounts)
    kinds = checked_kinds(entry.name, entry.account, entry.kinds or (), all_accounts=all_accounts)
    base = present or Channel(
        0, entry.account, entry.name, str(entry.transport), "", None, kinds, context.now()
    )
    try:
        sealed = b64decode(text, validate=True)
        channel = replace(
            base, target=entry.target or "", sealed=sealed, kinds=kinds, all_accounts=all_accounts
        )
        open_secret(context.vault, channel)
    except (binascii.Error, SealBroken):
        remedy = "use the key file of the export, or write the URL"
        cause = f"sealed {WRONG_KEY_FILE}"
        raise wrong(entry.name, ErrorKind.INVALID, cause, remedy) from None
    return channel


async def _store(
    context: AdminContext, present: Channel | None, wanted: Channel, key: str | None, reason: str
) -> str | None:
    now = context.directory.now.channel(wanted.account, wanted.name)
    check_same(f"notice channel {wanted.name}", present, now)
    await store_channel(context, present, wanted, reason if present else "")
    return key
