"""The change of a domain, and of its recipients, that an entry of a configuration wants."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_steps import (
    ApplyOptions,
    ApplyStage,
    ApplyStep,
    ApplyVerb,
    check_same,
    verb_of,
)
from restante.admin.change_scheduling import (
    scheduled_warnings,
    time_text,
    waiting_like,
    wish,
)
from restante.admin.compared_secrets import judge_secret
from restante.admin.configuration_entries import DomainEntry
from restante.admin.configuration_export import domain_fields
from restante.admin.destinations import (
    check_authority,
    judge_destination,
    moved,
    read_destination,
    warnings_on_trust,
)
from restante.admin.domain_change import changed_destination, changed_hosts
from restante.admin.domains import access_warnings, store_domain
from restante.admin.permissions import AdminAction, permit, permit_fields
from restante.admin.policy_change import changed_policy, check_message_size
from restante.admin.recipient_lists import (
    ListChange,
    RecipientList,
    check_addresses,
    replace_recipients,
)
from restante.phrases import WRONG_KEY_FILE
from restante.tenancy.model import AuthorizedHosts, Destination, DestinationLogin, HostedDomain
from restante.tenancy.policy import DEFAULT_POLICY, Policy, RecipientPolicy, UnknownRecipientReply
from restante.tenancy.policy_settings import SUSPENDED
from restante.tenancy.principal import Role
from restante.tenancy.record_change import NOTHING, Change, changes_between
from restante.tenancy.scheduled_change import without_scheduled_parts
from restante.tenancy.sealed_secrets import SealBroken, destination_owner

_NOWHERE: Final = Destination("")
_OF_A_SUSPENSION: Final = ("reason", "until", "while_suspended", "hold_otherwise")


@dataclass(frozen=True, slots=True)
class PlannedDomain:
    """The steps for one domain and its list, and warnings."""

    domain: ApplyStep | None
    recipients: ApplyStep | None
    warnings: Sequence[str]


async def plan_domain(
    context: AdminContext,
    name: str,
    entry: DomainEntry,
    addresses: list[str] | None,
    options: ApplyOptions,
) -> PlannedDomain:
    """Return the steps for an entry; None where nothing differs. Raises AdminError.

    The caller has checked that the account is there, or will be.
    """
    present = context.directory.now.domains.get(name)
    if present is not None and not context.principal.sees_domain(present.account, name):
        present = None  # as if it were not there: adding it is refused in the same words
    wanted, warnings = await _wanted_domain(context, name, present, entry, options)
    recipients = await _plan_list(context, name, wanted, addresses, options)
    wanted, waiting = await _without_what_waits(context, present, wanted)
    changes = changes_between(present, wanted)
    if not changes:
        return PlannedDomain(None, recipients, [*warnings, *waiting])
    if present is None:
        permit(context.principal, AdminAction.DOMAIN_ADD)
    else:
        permit_fields(context.principal, _differing(context, present, wanted))
        if present.policy.hold is not wanted.policy.hold:
            permit(context.principal, AdminAction.DOMAIN_CHANGE)
    step = ApplyStep(
        ApplyStage.DOMAINS,
        verb_of(present),
        "domain",
        name,
        wanted.account,
        changes,
        partial(_store, context, present, wanted),
    )
    return PlannedDomain(step, recipients, [*warnings, *waiting])


async def _without_what_waits(
    context: AdminContext, present: HostedDomain | None, wanted: HostedDomain
) -> tuple[HostedDomain, Sequence[str]]:
    """Leave out the part of a change that waits already, and warn of parts that wait or will.

    Raises AdminError where an account may not change them, or where another change is in the way.
    """
    asked = wish(context, present, wanted)
    if asked is None or present is None or asked.applies_at <= asked.made_at:
        return wanted, []
    waiting = await waiting_like(context, asked)
    if waiting is not None:
        return without_scheduled_parts(present, wanted), scheduled_warnings(waiting)
    when = time_text(asked.applies_at)
    return wanted, [
        f"domain {asked.domain}: its {asked.parts_text} will change at {when} at the earliest"
    ]


async def _store(context: AdminContext, present: HostedDomain | None, wanted: HostedDomain) -> None:
    now = context.directory.now.domains.get(wanted.name)
    check_same(f"domain {wanted.name}", present, now)
    await store_domain(context, present, wanted)


async def _wanted_domain(
    context: AdminContext,
    name: str,
    present: HostedDomain | None,
    entry: DomainEntry,
    options: ApplyOptions,
) -> tuple[HostedDomain, list[str]]:
    """Return the domain as it should be, and warnings. Raises AdminError."""
    if entry.destination_password is not None or entry.destination_sealed is not None:
        permit(context.principal, AdminAction.DOMAIN_DIRECT)  # it must not try passwords either
    if entry.pin_now:
        error = f"domain {name}: pin_now would pin another key each time"
        raise AdminError(ErrorKind.USAGE, error, "write the key as tls_pins")
    base = _base(context, name, present, entry, options)
    entry, warnings = _without_what_is_past(name, entry, context.now())
    destination, judged = await _wanted_destination(context, name, base, present, entry)
    check_message_size(name, entry, context.settings.message_size_limit())
    wanted = replace(
        base,
        account=entry.account,
        destination=destination,
        authorized_hosts=changed_hosts(base.authorized_hosts, entry),
        policy=_wanted_policy(name, base.policy, entry, context.now()),
    )
    if present is None or present.authorized_hosts != wanted.authorized_hosts:
        warnings += access_warnings(wanted)
    return wanted, [*warnings, *judged]


def _base(
    context: AdminContext,
    name: str,
    present: HostedDomain | None,
    entry: DomainEntry,
    options: ApplyOptions,
) -> HostedDomain:
    """Return the domain to which the fields of an entry are applied."""
    if present is None:
        return HostedDomain(0, name, entry.account, _NOWHERE, AuthorizedHosts(), context.now())
    if not options.is_pruning:
        return present
    was = present.destination
    has_login = bool(entry.destination_login) or entry.destination_password is not None
    # An account cannot make its own choice of an address look like an operator's.
    set_by = was.set_by if context.principal.role is Role.ACCOUNT else ""
    login = was.login if has_login else None
    bare = Destination(was.host, was.port, set_by=set_by, login=login)
    return replace(
        present, destination=bare, authorized_hosts=AuthorizedHosts(), policy=DEFAULT_POLICY
    )


def _without_what_is_past(
    name: str, entry: DomainEntry, now: float
) -> tuple[DomainEntry, list[str]]:
    """Return the entry without a suspension, or a forced acceptance, that has ended."""
    warnings, fields = [], _given(entry)
    if fields.get("hold") == SUSPENDED and _is_past(fields.get("until"), now):
        otherwise = fields.get("hold_otherwise", DEFAULT_POLICY.hold)
        fields = {key: value for key, value in fields.items() if key not in _OF_A_SUSPENSION}
        fields["hold"] = otherwise
        warnings.append(f"domain {name}: its suspension has ended, so hold is {otherwise}")
    if _is_past(fields.get("force_until"), now):
        fields = {key: value for key, value in fields.items() if key != "force_until"}
        fields["force_accept"] = ""
        warnings.append(f"domain {name}: force_until is past, so nothing is forced")
    if fields.get("hold") != SUSPENDED and "hold_otherwise" in fields:
        error = f"domain {name}: hold_otherwise is about a suspension"
        raise AdminError(ErrorKind.USAGE, error, "write hold alone, or hold = suspended too")
    return (DomainEntry.model_validate(fields), warnings) if warnings else (entry, warnings)


def _given(entry: DomainEntry) -> dict[str, Any]:
    return {key: getattr(entry, key) for key in entry.model_fields_set}


def _is_past(until: datetime | None, now: float) -> bool:
    return until is not None and until.timestamp() <= now


def _wanted_policy(name: str, base: Policy, entry: DomainEntry, now: float) -> Policy:
    if entry.hold_otherwise is not None:
        base = replace(base, hold=entry.hold_otherwise)
    return changed_policy(name, base, entry, now)


# --- the destination


async def _wanted_destination(
    context: AdminContext,
    name: str,
    base: HostedDomain,
    present: HostedDomain | None,
    entry: DomainEntry,
) -> tuple[Destination, list[str]]:
    """Return the destination, and warnings. One that does not change is not looked up again."""
    destination, warnings = base.destination, []
    if entry.destination is not None:
        host, port = read_destination(entry.destination)
        destination = moved(context, destination, host, port)
    elif present is None:
        error = f"domain {name}: a new domain needs a destination"
        raise AdminError(ErrorKind.USAGE, error, "write destination = HOST:PORT")
    if entry.destination_set_by is not None and context.principal.role is not Role.ACCOUNT:
        destination = replace(destination, set_by=entry.destination_set_by)
    was = present.destination if present else _NOWHERE
    if (destination.host, destination.port) != (was.host, was.port):
        permit_fields(context.principal, ["destination"])
        warnings = await judge_destination(
            context,
            destination.host,
            destination.port,
            must_be_public=destination.must_be_public,
        )
    fields, login = _login_kept(context, name, was.login, entry)
    if login is not None:
        destination = replace(destination, login=login)
    check_authority(context, fields)
    destination = changed_destination(context.vault, name, destination, fields)
    if present is not None and entry.destination_password is not None:
        judge_secret(context, f"domain {name}", is_same=destination.login == was.login)
    warnings += warnings_on_trust(destination, was)
    return destination, warnings


def _login_kept(
    context: AdminContext, name: str, present: DestinationLogin | None, entry: DomainEntry
) -> tuple[DomainEntry, DestinationLogin | None]:
    """Return a login whose password is not in plain text, and the fields without it.

    It is the exported one, or the present one if its user name is unchanged.
    """
    user = entry.destination_login
    if entry.destination_sealed is not None:
        if not user or entry.destination_password is not None:
            error = f"domain {name}: destination_sealed is the password of a destination_login"
            raise AdminError(ErrorKind.USAGE, error, "write both, and no destination_password")
        login = DestinationLogin(user, _opened(context, name, entry.destination_sealed))
    elif user and entry.destination_password is None and present and present.user == user:
        login = present
    else:
        if present and user is None and entry.destination_password is not None:
            entry = entry.model_copy(update={"destination_login": present.user})
        return entry, None
    return entry.model_copy(update={"destination_login": None}), login


def _opened(context: AdminContext, name: str, text: str) -> bytes:
    """Return a sealed password that this server can open. Raises AdminError."""
    try:
        sealed = b64decode(text, validate=True)
        context.vault.open(sealed, destination_owner(name))
    except (binascii.Error, SealBroken):
        error = f"domain {name}: destination_sealed {WRONG_KEY_FILE}"
        remedy = "use the key file of the export, or write destination_password"
        raise AdminError(ErrorKind.INVALID, error, remedy) from None
    return sealed


def _differing(context: AdminContext, present: HostedDomain, wanted: HostedDomain) -> set[str]:
    """Return the fields, by their names in requests, that differ."""
    was, now = (domain_fields(one, context.now(), with_secrets=True) for one in (present, wanted))
    names = {key for key in {*was, *now} if was.get(key) != now.get(key)}
    renamed = {"destination_sealed": "destination_password"}
    return {renamed.get(key, key) for key in names}


# --- the list of recipients


async def _plan_list(
    context: AdminContext,
    name: str,
    wanted: HostedDomain,
    addresses: list[str] | None,
    options: ApplyOptions,
) -> ApplyStep | None:
    if addresses is None:
        return None
    permit(context.principal, AdminAction.RECIPIENTS_CHANGE)
    if wanted.id == 0:
        listed = await check_addresses(wanted, addresses)
        change = ListChange(added=listed, dropped=0, listed=listed, is_large=False)
    else:
        preview = RecipientList(addresses=tuple(addresses), is_preview=True)
        change = await replace_recipients(context, name, preview)
        if change.is_large and change.dropped and not options.is_pruning:
            error = f"domain {name}: {change.dropped} of its recipients would be dropped"
            raise AdminError(
                ErrorKind.CONFLICT, error, "use --prune if the list of addresses is complete"
            )
    if not change.added and not change.dropped:
        return None
    rejects = wanted.policy.recipients is not RecipientPolicy.ANY
    rejects = rejects and wanted.policy.unknown is UnknownRecipientReply.REJECT
    return ApplyStep(
        ApplyStage.LISTS_FIRST if wanted.id and rejects else ApplyStage.LISTS,
        ApplyVerb.CHANGE,
        "recipients",
        name,
        wanted.account,
        _list_changes(change),
        partial(_replace_list, context, name, tuple(addresses)),
    )


async def _replace_list(context: AdminContext, name: str, addresses: tuple[str, ...]) -> None:
    wanted = RecipientList(addresses=addresses, is_confirmed=True)
    await replace_recipients(context, name, wanted)


def _list_changes(change: ListChange) -> list[Change]:
    before = change.listed - change.added + change.dropped
    parts = (
        Change("listed", str(before), str(change.listed)),
        Change("added", NOTHING, str(change.added or NOTHING)),
        Change("dropped", str(change.dropped or NOTHING), NOTHING),
    )
    return [one for one in parts if one.before != one.after]
