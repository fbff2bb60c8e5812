"""Hosted domains: whose mail we hold, where alone it may go, and from where it may be asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel

from restante.admin.accounts import find_account
from restante.admin.admin_context import Office
from restante.admin.admin_error import AdminError, Kind
from restante.admin.destinations import judge_destination, read_destination, warnings_on_trust, with_shown_pin
from restante.admin.domain_change import DomainChange, NewDomain, changed_destination, changed_hosts
from restante.admin.policy_change import PolicyView, changed_policy, check_message_size, policy_view
from restante.admin.primaries import PrimaryView, primary_view
from restante.admin.trail import ChangeView, change_views, changed, checked_reason, entry, moment, with_changes
from restante.mail.address import canonical_domain
from restante.mail.quantity import counted
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from restante.tenancy.notice import Way
from restante.tenancy.policy import DEFAULT_POLICY, Recipients, Unknown
from restante.tenancy.record_change import Change, changes_between


class DomainView(BaseModel):
    """A hosted domain as it is shown."""

    name: str
    account: str
    destination: str  # host:port
    tls: str
    tls_ca: str
    tls_pins: list[str]
    destination_login: str | None  # the user name; the password is never shown
    connections: int
    per_minute: int | None  # messages that may go to the destination, by this domain's record
    allow: list[str]
    created_at: datetime
    messages: int  # in the store, refused ones included
    octets: int
    refused: int
    primary: PrimaryView
    policy: PolicyView


class ChangedDomain(BaseModel):
    """A domain after a change, and what the operator should look at."""

    domain: DomainView
    warnings: list[str]
    changes: list[ChangeView]  # of an existing domain: none where all was so already


async def add_domain(office: Office, new: NewDomain) -> ChangedDomain:
    """Add a hosted domain. Raises AdminError."""
    name = domain_name(new.name)
    if name in office.directory.now.domains:
        raise _taken(name)
    find_account(office, new.account)
    host, port = read_destination(new.destination)
    warnings = await judge_destination(office, host, port)
    new = await with_shown_pin(office, Destination(host, port), new)
    destination = changed_destination(office.vault, name, Destination(host, port), new)
    warnings += warnings_on_trust(destination)
    hosts = changed_hosts(AuthorizedHosts(), new)
    now = office.now()
    check_message_size(name, new.message_size, office.message_size_limit())
    policy = changed_policy(name, DEFAULT_POLICY, new, now)
    domain = HostedDomain(0, name, new.account, destination, hosts, now, policy)
    stored, changes = await _put(office, None, domain)
    return _changed_domain(office, stored, changes, warnings)


def list_domains(office: Office, account: str | None = None) -> Iterator[DomainView]:
    """Yield all domains, or an account's, by name. Raises AdminError at once if there is no such account.

    Each view is made when it is its turn: there may be ten thousand.
    """
    directory = office.directory.now
    if account is not None:
        find_account(office, account)
        return (_view(office, domain) for domain in directory.domains_of(account))
    return (_view(office, directory.domains[name]) for name in sorted(directory.domains))


def show_domain(office: Office, name: str) -> DomainView:
    """Return one. Raises AdminError if it is not hosted."""
    return _view(office, find_domain(office, name))


async def change_domain(office: Office, name: str, change: DomainChange) -> ChangedDomain:
    """Change what is given. A drain that this concerns goes on by what is new. Raises AdminError."""
    present = domain = find_domain(office, name)
    warnings: list[str] = []
    destination = domain.destination
    if change.destination is not None:
        host, port = read_destination(change.destination)
        warnings = await judge_destination(office, host, port)
        destination = replace(destination, host=host, port=port)
    change = await with_shown_pin(office, destination, change)
    destination = changed_destination(office.vault, domain.name, destination, change)
    if (destination.host, destination.tls) != (domain.destination.host, domain.destination.tls):
        warnings += warnings_on_trust(destination)
    account = find_account(office, change.account).name if change.account is not None else domain.account
    hosts = changed_hosts(domain.authorized_hosts, change)
    check_message_size(domain.name, change.message_size, office.message_size_limit())
    policy = changed_policy(domain.name, domain.policy, change, office.now())
    domain = replace(domain, account=account, destination=destination, authorized_hosts=hosts, policy=policy)
    stored, changes = await _put(office, present, domain)
    if office.server and stored.policy.suspension_at(office.now()) is not None:
        office.server.stop_drain(stored.id, "the domain was suspended")
    elif office.server and changes:
        office.server.domain_changed(stored.id)
    return _changed_domain(office, stored, changes, warnings)


async def remove_domain(office: Office, name: str, reason: str) -> None:
    """Remove a domain that holds no mail. Raises AdminError."""
    domain = find_domain(office, name)
    recorded = _entry(office, AuditAction.DOMAIN_REMOVED, domain, changes_between(domain, None), checked_reason(reason))
    try:
        await office.store.remove_domain(domain.id, recorded)
    except Conflict:
        held = office.store.usage(domain.id).messages
        remedy = "release or delete them first"
        raise AdminError(Kind.CONFLICT, f"domain {domain.name}: holds {counted(held, 'message')}", remedy) from None
    await changed(office, recorded)
    if office.server:
        office.server.stop_drain(domain.id, "the domain is no longer hosted")


def domain_name(text: str) -> str:
    """Return the canonical name. Raises AdminError if it is none."""
    try:
        return canonical_domain(text)
    except ValueError as error:
        raise AdminError(Kind.INVALID, f"domain: {error}", "write a name such as example.org") from None


def find_domain(office: Office, name: str) -> HostedDomain:
    """Return the hosted domain of that name. Raises AdminError."""
    domain = office.directory.now.domains.get(domain_name(name))
    if domain is None:
        remedy = "`restante domain list` shows those that are"
        raise AdminError(Kind.NOT_FOUND, f"domain {name}: is not hosted here", remedy)
    return domain


def _changed_domain(
    office: Office, domain: HostedDomain, changes: Sequence[Change], warnings: Sequence[str]
) -> ChangedDomain:
    return ChangedDomain(
        domain=_view(office, domain),
        warnings=[*warnings, *_warnings(office, domain)],
        changes=change_views(changes),
    )


def _entry(
    office: Office, action: AuditAction, domain: HostedDomain, changes: Sequence[Change], reason: str = ""
) -> AuditEntry:
    recorded = entry(office, action, domain.name, domain.account, reason, domain=domain.name)
    return with_changes(recorded, changes)


async def _put(
    office: Office, present: HostedDomain | None, domain: HostedDomain
) -> tuple[HostedDomain, Sequence[Change]]:
    """Store a domain that differs from the present one (None: there is none), and return it with the changes."""
    changes = changes_between(present, domain)
    if not changes:
        return domain, changes
    action = AuditAction.DOMAIN_ADDED if present is None else AuditAction.DOMAIN_CHANGED
    recorded = _entry(office, action, domain, changes)
    try:
        stored = await office.store.put_domain(domain, recorded)
    except Conflict:
        if domain.id == 0:
            raise _taken(domain.name) from None
        error = f"domain {domain.name}: was removed meanwhile"
        raise AdminError(Kind.CONFLICT, error, "add it again by `domain add`") from None
    await changed(office, recorded)
    await office.recipients.policy_changed(stored)
    return stored, changes


def _taken(name: str) -> AdminError:
    return AdminError(Kind.EXISTS, f"domain {name}: is hosted already", "change it by `domain set`")


def _warnings(office: Office, domain: HostedDomain) -> list[str]:
    return [*_access_warnings(domain), *_recipient_warnings(office, domain), *_notice_warnings(office, domain)]


def _notice_warnings(office: Office, domain: HostedDomain) -> list[str]:
    """Mail to a domain that is hosted here is held, so notices go there no more."""
    channels = office.directory.now.channels.values()
    inside = [one for one in channels if one.way == Way.MAIL and one.target.endswith(f"@{domain.name}")]
    return [
        f"domain {domain.name}: notice channel {one.name} of {one.account or 'the operator'} mails to it, and is given up"
        for one in inside
    ]


def _recipient_warnings(office: Office, domain: HostedDomain) -> list[str]:
    """An empty list that is taken at its word keeps all mail out."""
    policy, book = domain.policy, office.recipients.of(domain.id)
    if policy.recipients is not Recipients.LIST or policy.unknown is Unknown.ACCEPT or book is None:
        return []
    if book.listed or book.patterns:
        return []
    answer = "550" if policy.unknown is Unknown.REJECT else "450"
    return [f"domain {domain.name}: its list of recipients is empty, so all its mail is answered {answer}"]


def _access_warnings(domain: HostedDomain) -> list[str]:
    hosts = domain.authorized_hosts
    if not hosts.networks and not hosts.names:
        return [f"domain {domain.name}: no host is authorized, so only `restante release` hands its mail over"]
    wide = [str(network) for network in hosts.networks if network.prefixlen == 0]
    return [f"domain {domain.name}: {network} lets any host ask for its mail, with a password" for network in wide]


def _view(office: Office, domain: HostedDomain) -> DomainView:
    destination = domain.destination
    usage = office.store.usage(domain.id)
    return DomainView(
        name=domain.name,
        account=domain.account,
        destination=destination.text,
        tls=destination.tls,
        tls_ca=destination.ca_file,
        tls_pins=list(destination.key_pins),
        destination_login=destination.login.user if destination.login else None,
        connections=destination.connections,
        per_minute=destination.per_minute,
        allow=list(domain.authorized_hosts.texts),
        created_at=moment(domain.created_at),
        messages=usage.messages,
        octets=usage.octets,
        refused=usage.refused,
        primary=primary_view(office, destination),
        policy=policy_view(domain.policy, office.now()),
    )
