"""The settings of a domain's policy, each defined once. Pure.

A row here makes a setting's field in requests and views of the API (`admin/policy_change`). It
also makes its option and its line in `domain show` (`cli/policy_options`), its entry in the
reference, and its permission (`admin/permissions`). The store and the audit trail follow the value
itself, `Policy`. To add a setting: a field of `Policy`, a row here, and the place that obeys it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum, StrEnum
from functools import reduce
from typing import Any, Final, get_type_hints

from restante.tenancy.policy import HoldPolicy, Policy, Suspension

SUSPENDED: Final = "suspended"


class SettingKind(StrEnum):
    """How a setting is written and shown."""

    CHOICE = "choice"
    FLAG = "flag"
    SIZE = "size"  # octets; 0 in a request removes the limit
    COUNT = "count"  # messages; likewise
    AGE = "age"  # seconds; 0 in a request is no end
    TIME = "time"  # a moment to come
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class PolicySetting:
    """One setting. `path` is its place in `Policy`; "" for one that is part of a larger change."""

    name: str  # in the API; the option has hyphens
    kind: SettingKind
    help: str
    path: str = ""
    choices: tuple[str, ...] = ()  # of a choice; "" ends what was chosen
    is_limit: bool = False  # only operators may change it
    line: str = ""  # the line of `domain show` that it is part of; "": its own

    @property
    def label(self) -> str:
        """The name of its line in `domain show`."""
        return self.line or self.name.replace("_", " ")


def _choice(name: str, help_: str, path: str, *, line: str = "") -> PolicySetting:
    """Return a choice whose values are those of the enumeration at `path`."""
    return PolicySetting(
        name, SettingKind.CHOICE, help_, path, _values(type_at(Policy, path)), line=line
    )


def _values(kind: Any) -> tuple[str, ...]:
    return tuple(str(one.value) for one in kind)


def type_at(record: Any, path: str) -> Any:
    """Return the type of the field at a path, such as "quota.octets", of a dataclass."""
    name, _, rest = path.partition(".")
    kind = get_type_hints(record)[name]
    return type_at(kind, rest) if rest else kind


def value_at(record: object, path: str) -> Any:
    """Return the value at a path."""
    return reduce(getattr, path.split("."), record)


def with_value(record: Any, path: str, value: object) -> Any:
    """Return the record with another value at a path."""
    name, _, rest = path.partition(".")
    return replace(
        record, **{name: with_value(getattr(record, name), rest, value) if rest else value}
    )


def changed_value(record: object, setting: PolicySetting, given: Any) -> object:
    """Return what a request's value is in the policy: 0 removes a limit or an end."""
    match setting.kind:
        case SettingKind.CHOICE:
            kind: type[Enum] = type_at(type(record), setting.path)
            return kind(given)
        case SettingKind.SIZE | SettingKind.COUNT | SettingKind.AGE:
            return given or None
    return given


SETTINGS: Final[Sequence[PolicySetting]] = (
    PolicySetting(
        "hold",
        SettingKind.CHOICE,
        "When to hand mail over. until-asked: on request only (new domains). on-return: also when"
        " the destination is back. relay: at once, like any secondary. suspended: never. The first"
        " three end a suspension.",
        choices=(*_values(HoldPolicy), SUSPENDED),
    ),
    PolicySetting(
        "reason",
        SettingKind.TEXT,
        "Reason for the audit trail and, with --hold suspended, for the suspension.",
        line="hold",
    ),
    PolicySetting(
        "until",
        SettingKind.TIME,
        "End of the suspension: 2d, 2026-12-01, or an ISO time.",
        line="hold",
    ),
    PolicySetting(
        "while_suspended",
        SettingKind.CHOICE,
        "New mail during the suspension: hold it (accept), or reply 450 (defer).",
        choices=_values(type_at(Suspension, "mail")),
        line="hold",
    ),
    _choice(
        "probe",
        "Probe the destination every minute, so that `status` can tell whether it answers (on), or"
        " only while the policy needs it (off).",
        "probe",
    ),
    _choice(
        "accept",
        "Accept mail always, or only while the destination is down (needs on-return).",
        "accept",
    ),
    PolicySetting(
        "force_accept",
        SettingKind.CHOICE,
        'Override --accept: accept mail (on) or defer it (off); "" ends this.',
        choices=("on", "off", ""),
        line="accept",
    ),
    PolicySetting("force_until", SettingKind.TIME, "End of --force-accept.", line="accept"),
    _choice(
        "recipients",
        "Known addresses: any, the list of `restante recipient`, or also the addresses that the"
        " destination accepted (learned).",
        "recipients",
    ),
    _choice(
        "unknown",
        "Unknown addresses: accept the mail, reply 450 (defer) or 550 (reject).",
        "unknown",
        line="recipients",
    ),
    PolicySetting(
        "ignore_tags",
        SettingKind.FLAG,
        "Treat user+tag as known if user is.",
        "ignores_tags",
        line="recipients",
    ),
    PolicySetting(
        "ask_destination",
        SettingKind.FLAG,
        "At RCPT, ask the destination about an unknown mailbox while it is up (needs learned).",
        "asks_destination",
        line="recipients",
    ),
    _choice(
        "hygiene",
        "Mail of clients with a bad sign, as `[hygiene]` says: treat it as other mail (off), mark"
        " it as suspect (mark), or reply 450 (defer).",
        "hygiene",
    ),
    _choice(
        "own_domain",
        "Mail from outside with a reverse-path of the domain itself: hold it, marked as suspect"
        " (allow), or reply 450 (defer). Authorized hosts are not outside.",
        "own_domain",
    ),
    PolicySetting(
        "quota",
        SettingKind.SIZE,
        "Maximum size of held mail: 10G, or none. Above it RCPT gets 452.",
        "quota.octets",
        is_limit=True,
    ),
    PolicySetting(
        "quota_messages",
        SettingKind.COUNT,
        "Maximum number of held messages, or none.",
        "quota.messages",
        is_limit=True,
        line="quota",
    ),
    PolicySetting(
        "message_size",
        SettingKind.SIZE,
        "Maximum size of a message, below the server's limit; or none.",
        "message_octets",
        is_limit=True,
    ),
    PolicySetting(
        "retention",
        SettingKind.AGE,
        "How long mail is held: 30d, or none for no limit.",
        "retention.seconds",
    ),
    _choice("at_end", "Action when --retention is over.", "retention.at_end", line="retention"),
    PolicySetting(
        "refused_retention",
        SettingKind.AGE,
        "How long refused mail is kept, or none for no limit. New domains: 14d.",
        "refused_retention.seconds",
    ),
    _choice(
        "refused_at_end",
        "Action when --refused-retention is over.",
        "refused_retention.at_end",
        line="refused retention",
    ),
    _choice("on_refusal", "Action when the destination refuses mail.", "on_refusal"),
    PolicySetting(
        "after_drains",
        SettingKind.COUNT,
        "Mark mail refused that a policy of the destination defers in so many drains, 2 to"
        " 255; or none: it stays held.",
        "after_drains",
    ),
    PolicySetting(
        "turnaround",
        SettingKind.CHOICE,
        "Let logins with that right take the mail by ATRN, on their own connection. It then goes to"
        " the holder of the login. Authorized hosts still apply.",
        "turnaround",
        _values(type_at(Policy, "turnaround")),
        is_limit=True,
    ),
    PolicySetting(
        "change_lock",
        SettingKind.FLAG,
        "Refuse changes by the account: of the destination, of authorized hosts, and of logins that"
        " would let more clients take mail by ATRN.",
        "change_lock",
        is_limit=True,
    ),
    PolicySetting(
        "proof",
        SettingKind.CHOICE,
        "Take mail only once DNS proves the domain, by a TXT record at _restante.DOMAIN (txt), or"
        " by an MX record that names this server (mx). Until then RCPT gets 451.",
        "proof",
        _values(type_at(Policy, "proof")),
        is_limit=True,
    ),
    PolicySetting(
        "drill_every",
        SettingKind.AGE,
        "How often the server drills the domain by itself, 1d to 366d; or none. A drill sends one"
        " message to postmaster at the domain.",
        "drill_every",
    ),
)
# Fields of `Policy` that several settings make together (`admin/policy_change`), or that are found
# (`admin/proof_keeper`).
MADE_TOGETHER: Final = frozenset({"hold", "suspension", "forced", "proven_at"})


def hold_in_force(policy: Policy, now: float) -> str:
    """Return the value of `hold` that a view shows: the mode, or that it is suspended."""
    return SUSPENDED if policy.suspension_at(now) is not None else policy.hold.value


def leaves(record: Any, prefix: str = "") -> list[str]:
    """Return the paths of all values of a dataclass."""
    hints = get_type_hints(record)
    found = []
    for field in fields(record):
        kind, path = hints[field.name], f"{prefix}{field.name}"
        is_record = hasattr(kind, "__dataclass_fields__")
        found += leaves(kind, f"{path}.") if is_record else [path]
    return found
