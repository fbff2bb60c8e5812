"""The fields of a domain's policy in requests and views, and the checked policy made from them.

The fields are made from the table of settings (`tenancy/policy_settings`). No function here uses
the network or the store: texts, values and the time go in, a checked policy comes out.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, create_model

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.request_bounds import KeptFor, LineText, Moment, StoredNumber
from restante.mail.policy_deferrals import FEWEST_DRAINS, MOST_DRAINS
from restante.readiness.drill_timer import LONGEST_PERIOD, SHORTEST_PERIOD
from restante.tenancy.policy import (
    AcceptPolicy,
    AtEnd,
    ForcedAcceptance,
    HoldPolicy,
    Policy,
    RecipientPolicy,
    Suspension,
    UnknownRecipientReply,
    WhileSuspended,
)
from restante.tenancy.policy_settings import (
    SETTINGS,
    SUSPENDED,
    PolicySetting,
    SettingKind,
    changed_value,
    hold_in_force,
    value_at,
    with_value,
)
from restante.tenancy.quota import Quota

MAX_REASON_LENGTH = 500  # characters

Amount = StoredNumber  # 0 removes the limit
Seconds = KeptFor  # 0: no end

_GIVEN: Final[dict[SettingKind, Any]] = {  # in a request
    SettingKind.FLAG: bool,
    SettingKind.SIZE: Amount,
    SettingKind.COUNT: Amount,
    SettingKind.AGE: Seconds,
    SettingKind.TIME: Moment,
    SettingKind.TEXT: LineText,
}
_SHOWN: Final[dict[SettingKind, Any]] = {  # in a view
    SettingKind.CHOICE: str,
    SettingKind.FLAG: bool,
    SettingKind.SIZE: int | None,
    SettingKind.COUNT: int | None,
    SettingKind.AGE: float | None,
    SettingKind.TIME: datetime | None,
    SettingKind.TEXT: str,
}


def fields_model(settings: Iterable[PolicySetting]) -> type[BaseModel]:
    """Make the model of the settings in a request, each optional."""
    literal: Any = Literal
    forms: dict[str, Any] = {
        one.name: (_optional(literal[one.choices] if one.choices else _GIVEN[one.kind]), None)
        for one in settings
    }
    return create_model(
        "PolicyFields",
        __doc__="The fields of a policy in a new or changed domain; None leaves one unchanged.",
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __module__=__name__,
        **forms,
    )


def _optional(form: Any) -> Any:
    return form | None


def view_model(settings: Iterable[PolicySetting]) -> type[BaseModel]:
    """Make the model of a policy as it is shown."""
    forms: dict[str, Any] = {one.name: (_SHOWN[one.kind], ...) for one in settings}
    return create_model(
        "PolicyView",
        __doc__="A policy as it is shown. Unset limits are null; so are times without end.",
        __module__=__name__,
        **forms,
        hold_otherwise=(str, ...),  # the mode that is in force without a suspension
    )


if TYPE_CHECKING:

    class PolicyFields(BaseModel):
        """The fields of a policy in a new or changed domain; None leaves one unchanged."""

    class PolicyView(BaseModel):
        """A policy as it is shown."""

        def __getattr__(self, name: str) -> Any:
            """Return the setting of that name."""

else:
    PolicyFields = fields_model(SETTINGS)
    PolicyView = view_model(SETTINGS)


def given(fields: PolicyFields, name: str) -> Any:
    """Return the value of a setting in a request; None if it is not given."""
    return getattr(fields, name)


def changed_policy(domain: str, present: Policy, fields: PolicyFields, now: float) -> Policy:
    """Return the policy after a change. Raises AdminError for contradictions."""
    hold = given(fields, "hold")
    policy = replace(
        present,
        hold=present.hold if hold in (None, SUSPENDED) else HoldPolicy(hold),
        suspension=_changed_suspension(domain, present, fields, now),
        forced=_changed_force(domain, present.forced, fields, now),
    )
    for setting in SETTINGS:
        value = given(fields, setting.name)
        if setting.path and value is not None:
            policy = with_value(policy, setting.path, changed_value(policy, setting, value))
    if policy.proof is not present.proof:
        policy = replace(policy, proven_at=None)
    _refuse_contradictions(domain, policy, fields)
    return policy


def check_message_size(domain: str, fields: PolicyFields, limit: int) -> None:
    """Raise AdminError for a largest message above the server's limit."""
    size = given(fields, "message_size")
    if size is not None and size > limit:
        error = (
            f"domain {domain}: --message-size {size} is above the server's own limit of"
            f" {limit} octets"
        )
        raise AdminError(
            ErrorKind.INVALID, error, "name less, or raise reception.message_size_limit first"
        )


def changed_quota(present: Quota, octets: int | None, messages: int | None) -> Quota:
    """Return the quota after a change."""
    return Quota(_changed_limit(present.octets, octets), _changed_limit(present.messages, messages))


def _changed_limit(present: int | None, wanted: int | None) -> int | None:
    return present if wanted is None else wanted or None


def _changed_suspension(
    domain: str, present: Policy, fields: PolicyFields, now: float
) -> Suspension | None:
    hold = given(fields, "hold")
    if hold not in (None, SUSPENDED):
        return None
    suspension = present.suspension_at(now)
    if hold is None and suspension is None:
        return None
    reason = given(fields, "reason")
    if reason is None:
        reason = suspension.reason if suspension else ""
    if not reason.strip() or len(reason) > MAX_REASON_LENGTH or not reason.isprintable():
        remedy = f"give one line of at most {MAX_REASON_LENGTH} characters as --reason"
        raise AdminError(
            ErrorKind.USAGE, f"domain {domain}: is not suspended without a reason", remedy
        )
    until = suspension.until if suspension else None
    if given(fields, "until") is not None:
        until = _checked_time(domain, "--until", given(fields, "until"), now)
    mail = suspension.mail if suspension else WhileSuspended.ACCEPT
    return Suspension(reason, until, WhileSuspended(given(fields, "while_suspended") or mail))


def _changed_force(
    domain: str, present: ForcedAcceptance | None, fields: PolicyFields, now: float
) -> ForcedAcceptance | None:
    force, force_until = given(fields, "force_accept"), given(fields, "force_until")
    if force == "":
        return None
    is_on = present.is_on if present else False
    until = present.until if present else None
    if force is not None:
        is_on, until = force == "on", None
    elif present is None or force_until is None:
        return present
    if force_until is not None:
        until = _checked_time(domain, "--force-until", force_until, now)
    return ForcedAcceptance(is_on=is_on, until=until)


def _checked_time(domain: str, option: str, time: datetime, now: float) -> float:
    if time.timestamp() <= now:
        raise AdminError(
            ErrorKind.INVALID,
            f"domain {domain}: {option} is in the past",
            "name a time in the future",
        )
    return time.timestamp()


def _refuse_contradictions(domain: str, policy: Policy, fields: PolicyFields) -> None:
    if policy.accept is AcceptPolicy.WHEN_DOWN and policy.hold is not HoldPolicy.ON_RETURN:
        error = f"domain {domain}: --accept when-down needs a watched destination"
        raise AdminError(ErrorKind.USAGE, error, "give --hold on-return too, or --accept always")
    of_suspension = ("reason", "until", "while_suspended")
    if policy.suspension is None and any(given(fields, name) for name in of_suspension):
        error = f"domain {domain}: --reason, --until and --while-suspended need a suspension"
        raise AdminError(ErrorKind.USAGE, error, "give --hold suspended too")
    if policy.asks_destination and policy.recipients is not RecipientPolicy.LEARNED:
        error = f"domain {domain}: --ask-destination works only with --recipients learned"
        raise AdminError(
            ErrorKind.USAGE, error, "give --recipients learned too, or --no-ask-destination"
        )
    if policy.after_drains is not None and not FEWEST_DRAINS <= policy.after_drains <= MOST_DRAINS:
        error = f"domain {domain}: --after-drains is not between {FEWEST_DRAINS} and {MOST_DRAINS}"
        raise AdminError(ErrorKind.INVALID, error, "name such a number, or none")
    every = policy.drill_every
    if every is not None and not SHORTEST_PERIOD <= every <= LONGEST_PERIOD:
        error = f"domain {domain}: --drill-every is not between 1 and 366 days"
        raise AdminError(ErrorKind.INVALID, error, "name such a time, or none")
    if policy.forced is None and given(fields, "force_until"):
        error = f"domain {domain}: --force-until says when what is forced ends, and nothing is"
        raise AdminError(ErrorKind.USAGE, error, "give --force-accept on or off too")


def settings_without_effect(domain: str, policy: Policy, fields: PolicyFields) -> list[str]:
    """Return warnings for given settings that do nothing, and for an end that does little."""
    found = []
    if policy.recipients is RecipientPolicy.ANY:
        if given(fields, "unknown") not in (None, UnknownRecipientReply.ACCEPT):
            found.append("--unknown has no effect: with --recipients any, no address is unknown")
        if given(fields, "ignore_tags"):
            found.append("--ignore-tags has no effect with --recipients any")
    for option, end in (("retention", "at-end"), ("refused-retention", "refused-at-end")):
        retention = getattr(policy, option.replace("-", "_"))
        at_end = given(fields, end.replace("-", "_"))
        if retention.seconds is None and at_end:
            found.append(f"--{end} has no effect without --{option}")
        elif given(fields, option.replace("-", "_")) and (retention.at_end, at_end) == (
            AtEnd.KEEP,
            None,
        ):
            found.append(
                f"--{option} ends with a notice only, and the mail stays; --{end} delete or"
                " bounce ends it"
            )
    return [f"domain {domain}: {text}" for text in found]


def policy_view(policy: Policy, now: float) -> PolicyView:
    """Return the view of a policy."""
    shown = {one.name: value_at(policy, one.path) for one in SETTINGS if one.path}
    return PolicyView(**shown, **_suspension_shown(policy, now), **_force_shown(policy.forced))


def _suspension_shown(policy: Policy, now: float) -> dict[str, Any]:
    suspension = policy.suspension_at(now)
    return {
        "hold": hold_in_force(policy, now),
        "hold_otherwise": policy.hold,
        "reason": suspension.reason if suspension else "",
        "until": _moment(suspension.until if suspension else None),
        "while_suspended": suspension.mail if suspension else "",
    }


def _force_shown(forced: ForcedAcceptance | None) -> dict[str, Any]:
    return {
        "force_accept": "" if forced is None else "on" if forced.is_on else "off",
        "force_until": _moment(forced.until if forced else None),
    }


def _moment(at: float | None) -> datetime | None:
    return None if at is None else moment(at)
