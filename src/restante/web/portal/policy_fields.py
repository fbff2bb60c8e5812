"""The fields of the form of a domain's policy, made from the table of settings. Pure.

A field is sent with the text that the page showed. Only a field that a person changed becomes part
of the change: so nobody takes back what somebody else has changed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from restante.admin.domain_change import DomainChange
from restante.admin.permissions import may_set
from restante.admin.policy_change import PolicyView
from restante.mail.octets import octets_text, read_octets
from restante.mail.quantity import read_span, span_text
from restante.tenancy.policy_settings import SETTINGS, SUSPENDED, PolicySetting, SettingKind
from restante.tenancy.principal import Principal
from restante.web.portal.portal_visit import FormValues, checked

NONE: Final = "none"  # no limit, or no end
WAS: Final = "was_"  # before the name of a field: the text that the page showed
_YES: Final = ("no", "yes")
# The groups of the form: a heading, and the label of each setting.
GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Handing over": {
        "hold": "Held mail leaves",
        "probe": "Probe the destination",
        "turnaround": "Turnaround (ATRN)",
        "drill_every": "Drill by itself, every",
    },
    "How long mail is kept": {
        "retention": "Keep held mail",
        "at_end": "Then",
        "refused_retention": "Keep refused mail",
        "refused_at_end": "Then",
        "on_refusal": "Mail that is refused",
        "after_drains": "Refuse mail deferred in so many drains",
    },
    "Accepting": {
        "accept": "Accept mail",
        "proof": "Only once proven by DNS",
        "recipients": "Known addresses",
        "unknown": "Mail for unknown addresses",
        "ignore_tags": "user+tag is known if user is",
        "ask_destination": "Ask the destination at RCPT",
        "hygiene": "Mail of clients with a bad sign",
        "own_domain": "Mail from outside in the name of the domain",
    },
    "Limits": {
        "quota": "Most held mail",
        "quota_messages": "Most held messages",
        "message_size": "Largest message",
        "change_lock": "Lock the destination",
    },
}
_WORDS: Final = {
    ("hold", "until-asked"): "until-asked: on request only",
    ("hold", "on-return"): "on-return: also when the destination is back",
    ("hold", "relay"): "relay: at once",
    ("unknown", "defer"): "defer: senders try again",
    ("accept", "when-down"): "when-down: while the destination is away",
    ("hygiene", "mark"): "mark: as suspect",
    ("hygiene", "defer"): "defer: senders try again",
    ("own_domain", "defer"): "defer: senders try again",
}
_HINTS: Final = {
    SettingKind.AGE: "30d, none",
    SettingKind.SIZE: "10G, none",
    SettingKind.COUNT: "1000, none",
}
_BY_NAME: Final = {one.name: one for one in SETTINGS}


@dataclass(frozen=True, slots=True)
class PolicyField:
    """A field: its text now, and its choices with their words; none for one that is typed."""

    name: str
    label: str
    text: str
    was: str  # the present value
    value: Any  # the same, as the API takes it
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


def policy_groups(
    principal: Principal, policy: PolicyView, typed: FormValues | None = None
) -> dict[str, list[PolicyField]]:
    """Return the fields that a principal may set, by heading, with the values `typed` before."""
    found = {
        heading: [
            _field(_BY_NAME[name], label, policy, typed)
            for name, label in labels.items()
            if may_set(principal, name)
        ]
        for heading, labels in GROUPS.items()
    }
    return {heading: fields for heading, fields in found.items() if fields}


def _field(
    setting: PolicySetting, label: str, policy: PolicyView, typed: FormValues | None
) -> PolicyField:
    name, was = setting.name, shown_text(setting, policy)
    text = typed.text(name, was) if typed is not None else was
    choices = tuple((one, _WORDS.get((name, one), one)) for one in _choices(setting))
    value, hint = _given(setting, was), _HINTS.get(setting.kind, "")
    return PolicyField(name, label, text, was, value, choices, hint)


def _choices(setting: PolicySetting) -> tuple[str, ...]:
    if setting.kind is SettingKind.FLAG:
        return _YES
    return tuple(one for one in setting.choices if one != SUSPENDED)


def shown_text(setting: PolicySetting, policy: PolicyView) -> str:
    """Return the text of a setting, as an option of the command takes it."""
    if setting.name == "hold":  # a suspension has a form of its own
        return str(policy.hold_otherwise)
    value = getattr(policy, setting.name)
    match setting.kind:
        case SettingKind.FLAG:
            return _YES[bool(value)]
        case SettingKind.SIZE:
            return NONE if value is None else octets_text(value)
        case SettingKind.AGE:
            return NONE if value is None else span_text(value)
    return NONE if value is None else str(value)


def wanted_change(form: FormValues) -> DomainChange:
    """Return the change of the fields that differ from those shown. Raises AdminError."""
    names = [name for labels in GROUPS.values() for name in labels]
    given = {
        name: _given(_BY_NAME[name], form.text(name))
        for name in names
        if form.all_of(name) and form.text(name) != form.text(WAS + name)
    }
    return checked(lambda: DomainChange.model_validate(given))


def _given(setting: PolicySetting, text: str) -> Any:
    """Return the value of a request; a text that cannot be read is refused by the model."""
    readers = {SettingKind.SIZE: read_octets, SettingKind.AGE: read_span}
    if setting.kind is SettingKind.FLAG:
        return {"yes": True, "no": False}.get(text, text)
    if setting.kind in (SettingKind.SIZE, SettingKind.AGE, SettingKind.COUNT) and text == NONE:
        return 0
    try:
        return readers[setting.kind](text) if setting.kind in readers else text
    except ValueError:
        return text
