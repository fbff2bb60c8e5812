"""The present records as entries of a configuration, which `apply` takes again.

A field with its default is left out, and so are secrets. If secrets are asked for, they are sealed
under the key file: only a server that has it can use them.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry, moment
from restante.admin.channel_change import gets_every_kind
from restante.admin.permissions import AdminAction, permit
from restante.admin.policy_change import policy_view
from restante.admin.scope import account_in_scope
from restante.admin.sealed_credentials import seal_credentials
from restante.store.live_recipients import recipient_pages
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import Account, Destination, HostedDomain, Login
from restante.tenancy.notice import Channel, ChannelTransport
from restante.tenancy.policy import DEFAULT_POLICY
from restante.tenancy.policy_settings import SUSPENDED
from restante.tenancy.recipients import RecipientSource

EVERYTHING: Final = "all accounts"  # in the audit trail
_PLAIN_ACCOUNT: Final = Account("", 0.0)
_PLAIN_DESTINATION: Final = Destination("")
_OF_A_SUSPENSION: Final = ("reason", "until", "while_suspended", "hold_otherwise")

ExportedFields = dict[str, Any]


async def export_configuration(
    context: AdminContext, account: str | None = None
) -> AsyncIterator[ExportedFields]:
    """Yield the entries of all records, or an account's, without secrets.

    Accounts come first, then logins, domains and channels, each by name. More recipients than fit
    into a line follow their domain as `addresses`. Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.CONFIGURATION_EXPORT)
    async for exported in _entries(context, account_in_scope(context, account), with_secrets=False):
        yield exported


async def export_with_secrets(
    context: AdminContext, account: str | None = None
) -> AsyncIterator[ExportedFields]:
    """Yield the same with secrets, sealed under the key file. Raises AdminError, StoreError."""
    permit(context.principal, AdminAction.SECRETS_EXPORT)
    account = account_in_scope(context, account)
    if account is not None:
        find_account(context, account)
    recorded = entry(context, AuditAction.SECRETS_EXPORTED, account or EVERYTHING, account or "")
    await context.store.audit.record([recorded])  # before any secret leaves
    announce(context, recorded)
    async for exported in _entries(context, account, with_secrets=True):
        yield exported


async def _entries(
    context: AdminContext, account: str | None, *, with_secrets: bool
) -> AsyncIterator[ExportedFields]:
    directory = context.directory.now  # one moment for all
    names = sorted(directory.accounts) if account is None else [find_account(context, account).name]
    for name in names:
        fields = account_fields(directory.accounts[name])
        if not context.principal.sees(""):
            fields.pop("note", None)  # the operator's own words
        yield {"thing": "account", **fields}
    for name in names:
        for login in directory.logins_of(name):
            sealed = seal_credentials(context.vault, login, context.now()) if with_secrets else None
            yield {"thing": "login", **login_fields(login, sealed)}
    for name in names:
        for domain in directory.domains_of(name):
            yield {
                "thing": "domain",
                **domain_fields(domain, context.now(), with_secrets=with_secrets),
            }
            async for part in _address_parts(context, domain):
                yield {"thing": "addresses", "name": domain.name, "addresses": part}
    for owner in ([""] if account is None else []) + names:
        for channel in sorted(directory.channels_of(owner), key=lambda one: one.name):
            yield {"thing": "channel", **channel_fields(channel, with_secrets=with_secrets)}


async def _address_parts(context: AdminContext, domain: HostedDomain) -> AsyncIterator[list[str]]:
    async for page in recipient_pages(context.store.recipients, domain.id):
        if part := [one.name for one in page if one.source is RecipientSource.LIST]:
            yield part


def account_fields(account: Account) -> ExportedFields:
    """Return the fields of an account that differ from those of a new one."""
    fields = {
        "note": account.note,
        "empty_reply": account.empty_reply,
        "quota": account.quota.octets,
        "quota_messages": account.quota.messages,
        "report_details": account.report_details,
        "history": str(account.history),
        "change_lock": account.change_lock,
    }
    plain = {
        "note": "",
        "empty_reply": _PLAIN_ACCOUNT.empty_reply,
        "quota": None,
        "quota_messages": None,
        "report_details": False,
        "history": str(_PLAIN_ACCOUNT.history),
        "change_lock": False,
    }
    return {"name": account.name, **_differing(fields, plain)}


def login_fields(login: Login, sealed: str | None = None) -> ExportedFields:
    """Return the fields of a login."""
    fields: ExportedFields = {"user": login.user, "account": login.account}
    if login.sealed_secret is None:
        fields["cram_md5"] = False
    if login.turnaround:
        fields["turnaround"] = True
    if login.certificates:
        fields["certificates"] = [one.pem for one in login.certificates]
    if login.valid_until is not None:
        fields["expires_at"] = moment(login.valid_until).isoformat().replace("+00:00", "Z")
    return fields if sealed is None else fields | {"sealed": sealed}


def domain_fields(domain: HostedDomain, now: float, *, with_secrets: bool) -> ExportedFields:
    """Return the fields of a domain that differ from those of a new one, without recipients."""
    destination = domain.destination
    fields: ExportedFields = {
        "name": domain.name,
        "account": domain.account,
        "destination": destination.text,
    }
    if domain.authorized_hosts.texts:
        fields["allow"] = list(domain.authorized_hosts.texts)
    given = {
        "tls": str(destination.tls),
        "tls_ca": destination.ca_file or destination.ca_text,
        "private_destination": bool(destination.may_be_private),
        "tls_pins": list(destination.key_pins),
        "connections": destination.connections,
        "per_minute": destination.per_minute,
        "client_address": str(destination.client_address),
    }
    plain = {
        "tls": str(_PLAIN_DESTINATION.tls),
        "tls_ca": "",
        "private_destination": False,
        "tls_pins": [],
        "connections": _PLAIN_DESTINATION.connections,
        "per_minute": None,
        "client_address": str(_PLAIN_DESTINATION.client_address),
    }
    fields |= _differing(given, plain)
    if destination.set_by:
        fields["destination_set_by"] = destination.set_by
    if destination.login is not None:
        fields["destination_login"] = destination.login.user
        if with_secrets:
            fields["destination_sealed"] = _text(destination.login.sealed_password)
    return fields | _policy_fields(domain, now)


def _policy_fields(domain: HostedDomain, now: float) -> ExportedFields:
    shown = policy_view(domain.policy, now).model_dump(mode="json")
    fields = _differing(shown, policy_view(DEFAULT_POLICY, now).model_dump(mode="json"))
    for key in ("retention", "refused_retention"):
        if key in fields and fields[key] is None:
            fields[key] = 0  # no end; a field that is left out has its default
    if shown["hold"] != SUSPENDED:
        fields = {key: value for key, value in fields.items() if key not in _OF_A_SUSPENSION}
    forced = domain.policy.forced
    if forced is not None and forced.until is not None and forced.until <= now:
        fields.pop("force_accept", None)
        fields.pop("force_until", None)
    return fields


def channel_fields(channel: Channel, *, with_secrets: bool) -> ExportedFields:
    """Return the fields of a channel. The target of a mail channel is no secret."""
    fields: ExportedFields = {"name": channel.name}
    if channel.account:
        fields["account"] = channel.account
    if channel.transport == ChannelTransport.MAIL:
        fields["mail"] = channel.target
    else:
        fields |= {"transport": str(channel.transport), "target": channel.target}
    if not gets_every_kind(channel):
        fields["kinds"] = sorted(channel.kinds)
    if channel.all_accounts:
        fields["all_accounts"] = True
    if with_secrets and channel.sealed is not None:
        fields["sealed"] = _text(channel.sealed)
    return fields


def _differing(fields: Mapping[str, Any], plain: Mapping[str, Any]) -> ExportedFields:
    return {key: value for key, value in fields.items() if value != plain[key]}


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
