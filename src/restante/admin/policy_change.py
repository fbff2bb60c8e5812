"""The fields of a domain's policy, and the checked policy made from them.

No function here uses the network or the store: texts, values and the time go in, a checked policy
comes out.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.trail import moment
from restante.tenancy.policy import (
    Accept,
    AtEnd,
    Forced,
    Hold,
    OnRefusal,
    Policy,
    Recipients,
    Retention,
    Suspension,
    Unknown,
    WhileSuspended,
)
from restante.tenancy.quota import Quota

SUSPENDED = "suspended"
MAX_REASON_LENGTH = 500  # characters

Amount = Annotated[int, Field(ge=0)]  # 0 removes the limit
Seconds = Annotated[float, Field(ge=0)]  # 0: no end
End = Literal["keep", "delete", "bounce"]


class PolicyFields(BaseModel):
    """The fields of a policy in a new or changed domain; None leaves one unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hold: Literal["until-asked", "on-return", "relay", "suspended"] | None = None
    reason: str | None = None  # of the suspension
    until: AwareDatetime | None = None  # of the suspension
    while_suspended: WhileSuspended | None = None
    accept: Accept | None = None
    force_accept: Literal["on", "off", ""] | None = None  # "": no longer
    force_until: AwareDatetime | None = None
    recipients: Recipients | None = None
    unknown: Unknown | None = None
    ignore_tags: bool | None = None
    ask_destination: bool | None = None
    quota: Amount | None = None  # octets
    quota_messages: Amount | None = None
    message_size: Amount | None = None  # octets
    retention: Seconds | None = None
    at_end: End | None = None
    refused_retention: Seconds | None = None
    refused_at_end: End | None = None
    on_refusal: Literal["keep", "bounce"] | None = None


class PolicyView(BaseModel):
    """A policy as it is shown. Unset limits are null; so are times without end."""

    hold: str  # "suspended" while it is
    hold_otherwise: str  # the mode that is in force without a suspension
    reason: str
    until: datetime | None
    while_suspended: str
    accept: str
    force_accept: str  # "on", "off" or ""
    force_until: datetime | None
    recipients: str
    unknown: str
    ignore_tags: bool
    ask_destination: bool
    quota: int | None
    quota_messages: int | None
    message_size: int | None
    retention: float | None
    at_end: str
    refused_retention: float | None
    refused_at_end: str
    on_refusal: str


def changed_policy(domain: str, present: Policy, fields: PolicyFields, now: float) -> Policy:
    """Return the policy after a change. Raises AdminError for contradictions."""
    policy = replace(
        present,
        hold=present.hold if fields.hold in (None, SUSPENDED) else Hold(fields.hold),
        suspension=_changed_suspension(domain, present, fields, now),
        accept=present.accept if fields.accept is None else fields.accept,
        forced=_changed_force(domain, present.forced, fields, now),
        recipients=present.recipients if fields.recipients is None else fields.recipients,
        unknown=present.unknown if fields.unknown is None else fields.unknown,
        ignores_tags=present.ignores_tags if fields.ignore_tags is None else fields.ignore_tags,
        asks_destination=present.asks_destination
        if fields.ask_destination is None
        else fields.ask_destination,
        quota=changed_quota(present.quota, fields.quota, fields.quota_messages),
        message_octets=_changed_limit(present.message_octets, fields.message_size),
        retention=_changed_retention(present.retention, fields.retention, fields.at_end),
        refused_retention=_changed_retention(
            present.refused_retention, fields.refused_retention, fields.refused_at_end
        ),
        on_refusal=present.on_refusal
        if fields.on_refusal is None
        else OnRefusal(fields.on_refusal),
    )
    _refuse_contradictions(domain, policy, fields)
    return policy


def check_message_size(domain: str, size: int | None, limit: int) -> None:
    """Raise AdminError for a largest message above the server's limit."""
    if size is not None and size > limit:
        error = (
            f"domain {domain}: --message-size {size} is above the server's own limit of {limit}"
            " octets"
        )
        raise AdminError(
            ErrorKind.INVALID, error, "name less, or raise reception.message_size_limit first"
        )


def changed_quota(present: Quota, octets: int | None, messages: int | None) -> Quota:
    """Return the quota after a change."""
    return Quota(_changed_limit(present.octets, octets), _changed_limit(present.messages, messages))


def _changed_limit(present: int | None, given: int | None) -> int | None:
    return present if given is None else given or None


def _changed_retention(present: Retention, seconds: float | None, at_end: End | None) -> Retention:
    return Retention(
        present.seconds if seconds is None else seconds or None,
        present.at_end if at_end is None else AtEnd(at_end),
    )


def _changed_suspension(
    domain: str, present: Policy, fields: PolicyFields, now: float
) -> Suspension | None:
    if fields.hold not in (None, SUSPENDED):
        return None
    suspension = present.suspension_at(now)
    if fields.hold is None and suspension is None:
        return None
    reason = fields.reason if fields.reason is not None else suspension.reason if suspension else ""
    if not reason.strip() or len(reason) > MAX_REASON_LENGTH or not reason.isprintable():
        remedy = f"give one line of at most {MAX_REASON_LENGTH} characters as --reason"
        raise AdminError(
            ErrorKind.USAGE, f"domain {domain}: is not suspended without a reason", remedy
        )
    until = suspension.until if suspension else None
    if fields.until is not None:
        until = _checked_time(domain, "--until", fields.until, now)
    mail = suspension.mail if suspension else WhileSuspended.ACCEPT
    return Suspension(
        reason, until, mail if fields.while_suspended is None else fields.while_suspended
    )


def _changed_force(
    domain: str, present: Forced | None, fields: PolicyFields, now: float
) -> Forced | None:
    if fields.force_accept == "":
        return None
    is_on = present.is_on if present else False
    until = present.until if present else None
    if fields.force_accept is not None:
        is_on, until = fields.force_accept == "on", None
    elif present is None or fields.force_until is None:
        return present
    if fields.force_until is not None:
        until = _checked_time(domain, "--force-until", fields.force_until, now)
    return Forced(is_on=is_on, until=until)


def _checked_time(domain: str, option: str, time: datetime, now: float) -> float:
    if time.timestamp() <= now:
        raise AdminError(
            ErrorKind.INVALID, f"domain {domain}: {option} is in the past", "name a time to come"
        )
    return time.timestamp()


def _refuse_contradictions(domain: str, policy: Policy, fields: PolicyFields) -> None:
    if policy.accept is Accept.WHEN_DOWN and policy.hold is not Hold.ON_RETURN:
        error = f"domain {domain}: --accept when-down needs a destination that is watched"
        raise AdminError(ErrorKind.USAGE, error, "say --hold on-return too, or --accept always")
    if policy.suspension is None and (fields.reason or fields.until or fields.while_suspended):
        error = f"domain {domain}: --reason, --until and --while-suspended are about a suspension"
        raise AdminError(ErrorKind.USAGE, error, "say --hold suspended too")
    if policy.asks_destination and policy.recipients is not Recipients.LEARNED:
        error = f"domain {domain}: --ask-destination is a way to learn of mailboxes"
        raise AdminError(
            ErrorKind.USAGE, error, "say --recipients learned too, or --no-ask-destination"
        )
    if policy.forced is None and fields.force_until:
        error = f"domain {domain}: --force-until says when what is forced ends, and nothing is"
        raise AdminError(ErrorKind.USAGE, error, "say --force-accept on or off too")


def policy_view(policy: Policy, now: float) -> PolicyView:
    """Return the view of a policy."""
    suspension = policy.suspension_at(now)
    forced = policy.forced
    return PolicyView(
        hold=SUSPENDED if suspension else policy.hold,
        hold_otherwise=policy.hold,
        reason=suspension.reason if suspension else "",
        until=_moment(suspension.until if suspension else None),
        while_suspended=suspension.mail if suspension else "",
        accept=policy.accept,
        force_accept="" if forced is None else "on" if forced.is_on else "off",
        force_until=_moment(forced.until if forced else None),
        recipients=policy.recipients,
        unknown=policy.unknown,
        ignore_tags=policy.ignores_tags,
        ask_destination=policy.asks_destination,
        quota=policy.quota.octets,
        quota_messages=policy.quota.messages,
        message_size=policy.message_octets,
        retention=policy.retention.seconds,
        at_end=policy.retention.at_end,
        refused_retention=policy.refused_retention.seconds,
        refused_at_end=policy.refused_retention.at_end,
        on_refusal=policy.on_refusal,
    )


def _moment(at: float | None) -> datetime | None:
    return None if at is None else moment(at)
