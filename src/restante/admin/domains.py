"""Hosted domains: accounts, destinations, and authorized hosts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

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
from restante.admin.change_scheduling import (
    WaitingChangeView,
    changed_at_once,
    schedule,
    scheduled_warnings,
    waiting_view,
    wish,
)
from restante.admin.compared_secrets import judge_secret
from restante.admin.destinations import (
    check_authority,
    judge_destination,
    moved,
    read_destination,
    warnings_on_trust,
    with_shown_pin,
)
from restante.admin.domain_change import DomainChange, NewDomain, changed_destination, changed_hosts
from restante.admin.permissions import AdminAction, permit, permit_fields
from restante.admin.policy_change import (
    PolicyView,
    changed_policy,
    check_message_size,
    given,
    policy_view,
    settings_without_effect,
)
from restante.admin.primary_state import PrimaryView, primary_view
from restante.admin.repeated_add import refuse_difference
from restante.admin.scope import domain_name, domains_in_scope
from restante.mail.quantity import counted
from restante.phrases import (
    EXISTS,
    NO_LONGER_HOSTED,
    NOT_HOSTED,
    REMOVED_MEANWHILE,
    did_you_mean,
)
from restante.store.figure_store import NONE_SET_APART, SetApart
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.domain_proof import proof_record
from restante.tenancy.model import AuthorizedHosts, ClientPassing, Destination, HostedDomain
from restante.tenancy.notice import ChannelTransport
from restante.tenancy.policy import (
    DEFAULT_POLICY,
    HoldPolicy,
    RecipientPolicy,
    UnknownRecipientReply,
)
from restante.tenancy.policy_settings import SUSPENDED
from restante.tenancy.recipients import RecipientBook
from restante.tenancy.record_change import Change, changes_between
from restante.tenancy.scheduled_change import ScheduledChange, without_scheduled_parts


class DomainView(BaseModel):
    """A hosted domain as it is shown."""

    name: str
    account: str
    destination: str  # host:port
    tls: str
    tls_ca: str  # a path, or the certificates as PEM
    destination_set_by: str  # the account that chose it; "" for an operator
    private_destination: bool  # an operator lets it have any address
    tls_pins: list[str]
    destination_login: str | None  # the user name; the password is never shown
    connections: int
    per_minute: int | None  # messages a minute to the destination, by this domain's record
    client_address: ClientPassing  # how the destination is told which client mail came from
    allow: list[str]
    created_at: datetime
    messages: int  # in the store, in any state
    octets: int
    refused: int  # by the destination; no recipient is held
    uncertain: int  # the destination may have them
    damaged: int
    deferred_by_policy: int  # held, although it was tried: by a policy of the destination
    primary: PrimaryView
    policy: PolicyView
    proof_record: str  # the DNS record that must prove the domain; "" where none must
    proven_at: datetime | None  # null: it takes no mail until the record is found, if one must be


class ChangedDomain(BaseModel):
    """A domain after a change, and warnings for the operator."""

    domain: DomainView
    warnings: list[str]
    changes: list[ChangeView]  # of an existing domain: none if nothing differed
    scheduled: WaitingChangeView | None = None  # the part that waits, of an account's change


class StoredDomain(NamedTuple):
    """A domain after a change."""

    domain: HostedDomain
    changes: Sequence[Change]  # that were made
    scheduled: ScheduledChange | None  # the part of the change that waits


async def add_domain(context: AdminContext, new: NewDomain) -> ChangedDomain:
    """Add a hosted domain, unless it is there with the given values. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_ADD)
    return await add_or_find(context, lambda: _added(context, new))


async def _added(context: AdminContext, new: NewDomain) -> ChangedDomain:
    name = domain_name(new.name)
    if (present := context.directory.now.domains.get(name)) is not None:
        return await _added_again(context, present, new)
    find_account(context, new.account)
    host, port = read_destination(new.destination)
    check_authority(context, new)
    chosen = moved(context, Destination(""), host, port)
    warnings = await judge_destination(context, host, port, must_be_public=chosen.must_be_public)
    new = await with_shown_pin(context, chosen, new)
    destination = changed_destination(context.vault, name, chosen, new)
    warnings += warnings_on_trust(destination, Destination(""))
    hosts = changed_hosts(AuthorizedHosts(), new)
    now = context.now()
    check_message_size(name, new, context.settings.message_size_limit())
    policy = changed_policy(name, DEFAULT_POLICY, new, now)
    warnings += settings_without_effect(name, policy, new)
    domain = HostedDomain(0, name, new.account, destination, hosts, now, policy)
    return await _changed_domain(context, await store_domain(context, None, domain), warnings)


async def _added_again(
    context: AdminContext, present: HostedDomain, new: NewDomain
) -> ChangedDomain:
    """Return a domain that is there with the given values. Raises AdminError for other values."""
    if not context.principal.sees_domain(present.account, present.name):
        raise _taken(present.name)
    given_fields = new.model_dump(exclude={"name"}, exclude_unset=True)
    wanted, warnings = await _with_change(context, present, DomainChange(**given_fields))
    differing = changes_between(present, wanted)
    if new.destination_password is not None:
        is_same = wanted.destination.login == present.destination.login
        judge_secret(context, f"domain {present.name}", is_same=is_same)
    refuse_difference(f"domain {present.name}", differing, _by_set(present.name))
    return await _changed_domain(context, StoredDomain(present, (), None), warnings)


async def list_domains(
    context: AdminContext, account: str | None = None, after: str = ""
) -> Iterator[DomainView]:
    """Return an iterator of all domains, or an account's, after a name, by name.

    Each view is made at its turn: there may be ten thousand. Raises AdminError at once if there is
    no such account.
    """
    permit(context.principal, AdminAction.DOMAIN_LIST)
    if account is not None:
        find_account(context, account)
    domains = sorted(
        (
            one
            for one in domains_in_scope(context)
            if account in (None, one.account) and one.name > after
        ),
        key=lambda one: one.name,
    )
    parked = await context.store.figures.set_apart()
    return (_view(context, domain, parked) for domain in domains)


async def show_domain(context: AdminContext, name: str) -> DomainView:
    """Return a domain. Raises AdminError if it is not hosted."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    return _view(context, domain, await context.store.figures.set_apart([domain.id]))


async def change_domain(context: AdminContext, name: str, change: DomainChange) -> ChangedDomain:
    """Change the given fields; a running drain uses the new record. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_SUSPEND)
    permit_fields(context.principal, change.model_fields_set)
    present = find_domain(context, name)
    if given(change, "hold") not in (None, SUSPENDED, present.policy.hold.value):
        permit(context.principal, AdminAction.DOMAIN_CHANGE)
    domain, warnings = await _with_change(context, present, change)
    return await _changed_domain(context, await store_domain(context, present, domain), warnings)


async def _with_change(
    context: AdminContext, domain: HostedDomain, change: DomainChange
) -> tuple[HostedDomain, list[str]]:
    """Return a domain with the given fields, and warnings. Raises AdminError."""
    warnings: list[str] = []
    destination = domain.destination
    check_authority(context, change)
    if change.destination is not None:
        destination = moved(context, destination, *read_destination(change.destination))
        warnings = await judge_destination(
            context,
            destination.host,
            destination.port,
            must_be_public=destination.must_be_public,
        )
    change = await with_shown_pin(context, destination, change)
    destination = changed_destination(context.vault, domain.name, destination, change)
    warnings += warnings_on_trust(destination, domain.destination)
    account = (
        find_account(context, change.account).name if change.account is not None else domain.account
    )
    hosts = changed_hosts(domain.authorized_hosts, change)
    check_message_size(domain.name, change, context.settings.message_size_limit())
    policy = changed_policy(domain.name, domain.policy, change, context.now())
    warnings += settings_without_effect(domain.name, policy, change)
    wanted = replace(
        domain, account=account, destination=destination, authorized_hosts=hosts, policy=policy
    )
    return wanted, warnings


async def remove_domain(context: AdminContext, name: str, reason: str) -> None:
    """Remove a domain that holds no mail. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_REMOVE)
    domain = find_domain(context, name)
    recorded = _entry(
        context,
        AuditAction.DOMAIN_REMOVED,
        domain,
        changes_between(domain, None),
        checked_reason(reason),
    )
    try:
        await context.store.records.remove_domain(domain.id, recorded)
    except Conflict:
        held = context.store.figures.usage(domain.id).messages
        raise holds_mail(domain.name, held) from None
    await changed(context, recorded)
    if context.server:
        await context.server.stop_drain(domain.id, NO_LONGER_HOSTED)


def holds_mail(name: str, held: int) -> AdminError:
    """Make the error about a domain that cannot be removed, because it holds mail."""
    error = f"domain {name}: holds {counted(held, 'message')}"
    return AdminError(ErrorKind.CONFLICT, error, "release or delete them first")


def find_domain(context: AdminContext, name: str) -> HostedDomain:
    """Return the hosted domain of that name. Raises AdminError."""
    domain = context.directory.now.domains.get(domain_name(name))
    if domain is None or not context.principal.sees_domain(domain.account, domain.name):
        meant = did_you_mean(name.lower(), (one.name for one in domains_in_scope(context)))
        remedy = f"{meant} `restante domain list` shows the hosted domains".lstrip()
        raise AdminError(ErrorKind.NOT_FOUND, f"domain {name}: {NOT_HOSTED}", remedy)
    return domain


async def _changed_domain(
    context: AdminContext, stored: StoredDomain, warnings: Sequence[str]
) -> ChangedDomain:
    domain, waiting = stored.domain, stored.scheduled
    return ChangedDomain(
        domain=_view(context, domain, await context.store.figures.set_apart([domain.id])),
        warnings=[*warnings, *_warnings(context, domain), *scheduled_warnings(waiting)],
        changes=change_views(stored.changes),
        scheduled=None if waiting is None else waiting_view(waiting),
    )


def _entry(
    context: AdminContext,
    action: AuditAction,
    domain: HostedDomain,
    changes: Sequence[Change],
    reason: str = "",
) -> AuditEntry:
    recorded = entry(context, action, domain.name, domain.account, reason, domain=domain.name)
    return with_changes(recorded, changes)


async def store_domain(
    context: AdminContext, present: HostedDomain | None, domain: HostedDomain
) -> StoredDomain:
    """Store a domain that differs from the present one, and return it with the changes.

    None: there is no present one. A domain that is suspended is drained no more. An
    account's change of the destination or of authorized hosts waits: see `change_scheduling`.
    """
    asked, waiting = wish(context, present, domain), None
    if asked is not None and present is not None and asked.applies_at > asked.made_at:
        waiting = await schedule(context, asked)
        domain = without_scheduled_parts(present, domain)
    stored, changes = await _put(context, present, domain)
    if asked is not None and waiting is None:
        changed_at_once(context, asked)
    if present and context.server and stored.policy.suspension_at(context.now()) is not None:
        await context.server.stop_drain(stored.id, "the domain was suspended")
    return StoredDomain(stored, changes, waiting)


async def _put(
    context: AdminContext, present: HostedDomain | None, domain: HostedDomain
) -> tuple[HostedDomain, Sequence[Change]]:
    changes = changes_between(present, domain)
    if not changes:
        return domain, changes
    action = AuditAction.DOMAIN_ADDED if present is None else AuditAction.DOMAIN_CHANGED
    recorded = _entry(context, action, domain, changes)
    try:
        stored = await context.store.records.put_domain(domain, recorded, before=present)
    except Overtaken:
        raise await overtaken(context, f"domain {domain.name}") from None
    except Conflict:
        if domain.id == 0:
            raise AddedMeanwhile(_taken(domain.name)) from None
        error = f"domain {domain.name}: {REMOVED_MEANWHILE}"
        raise AdminError(ErrorKind.CONFLICT, error, "add it again by `domain add`") from None
    await changed(context, recorded)
    return stored, changes


def _taken(name: str) -> AdminError:
    return AdminError(ErrorKind.EXISTS, f"domain {name}: {EXISTS}", _by_set(name))


def _by_set(name: str) -> str:
    return f"change it by `restante domain set {name}`"


def _warnings(context: AdminContext, domain: HostedDomain) -> list[str]:
    return [
        *_proof_warnings(context.network.hostname, domain),
        *access_warnings(domain),
        *_recipient_warnings(context.parts.recipients.of(domain.id), domain),
        *_notice_warnings(context, domain),
    ]


def _proof_warnings(hostname: str, domain: HostedDomain) -> list[str]:
    """Warn that a domain takes no mail until it is proven."""
    if not domain.policy.awaits_proof:
        return []
    record = proof_record(domain, hostname)
    return [f"domain {domain.name}: takes no mail until DNS has the record {record}"]


def _notice_warnings(context: AdminContext, domain: HostedDomain) -> list[str]:
    """Warn that notices to this domain stop: mail to a domain hosted here is held."""
    channels = context.directory.now.channels.values()
    inside = [
        one
        for one in channels
        if one.transport == ChannelTransport.MAIL
        and one.target.endswith(f"@{domain.name}")
        and context.principal.sees(one.account)
    ]
    return [
        f"domain {domain.name}: notice channel {one.name} of {one.account or 'the operator'} mails"
        " to it, and is given up"
        for one in inside
    ]


def _recipient_warnings(book: RecipientBook | None, domain: HostedDomain) -> list[str]:
    """Warn of an empty list that decides alone: it keeps all mail out."""
    policy = domain.policy
    if (
        policy.recipients is not RecipientPolicy.LIST
        or policy.unknown is UnknownRecipientReply.ACCEPT
        or book is None
    ):
        return []
    if book.listed or book.patterns:
        return []
    answer = "550" if policy.unknown is UnknownRecipientReply.REJECT else "450"
    return [
        (
            f"domain {domain.name}: its list of recipients is empty, so all its mail is answered"
            f" {answer}"
        )
    ]


def access_warnings(domain: HostedDomain) -> list[str]:
    """Warn of authorized hosts that are none, or all, and of a hold policy that never acts."""
    hosts, hold = domain.authorized_hosts, domain.policy.hold
    if not domain.destination.is_reachable and hold is not HoldPolicy.UNTIL_ASKED:
        never = f"domain {domain.name}: hold {hold} never acts, as the domain has no destination"
        return [f"{never}; its mail leaves by ATRN only", *_host_warnings(domain, hosts)]
    return _host_warnings(domain, hosts)


def _host_warnings(domain: HostedDomain, hosts: AuthorizedHosts) -> list[str]:
    if not hosts.networks and not hosts.names:
        return [
            (
                f"domain {domain.name}: no host is authorized, so only `restante release` hands its"
                " mail over"
            )
        ]
    wide = [str(network) for network in hosts.networks if network.prefixlen == 0]
    return [
        f"domain {domain.name}: {network} lets any host ask for its mail, with a password"
        for network in wide
    ]


def _view(
    context: AdminContext, domain: HostedDomain, parked: Mapping[int, SetApart]
) -> DomainView:
    destination = domain.destination
    usage = context.store.figures.usage(domain.id)
    apart = parked.get(domain.id, NONE_SET_APART)
    return DomainView(
        name=domain.name,
        account=domain.account,
        destination=destination.text,
        tls=destination.tls,
        tls_ca=destination.ca_file or destination.ca_text,
        destination_set_by=destination.set_by,
        private_destination=bool(destination.may_be_private),
        tls_pins=list(destination.key_pins),
        destination_login=destination.login.user if destination.login else None,
        connections=destination.connections,
        per_minute=destination.per_minute,
        client_address=destination.client_address,
        allow=list(domain.authorized_hosts.texts),
        created_at=moment(domain.created_at),
        messages=usage.messages,
        octets=usage.octets,
        refused=usage.refused - apart.unheld,
        uncertain=apart.uncertain,
        damaged=apart.damaged,
        deferred_by_policy=apart.deferred_by_policy,
        primary=primary_view(context, destination),
        policy=policy_view(domain.policy, context.now()),
        proof_record=proof_record(domain, context.network.hostname),
        proven_at=None if domain.policy.proven_at is None else moment(domain.policy.proven_at),
    )
