"""The options of a domain's policy, for the commands that add or change a domain.

The options and the lines of `domain show` are made from the table of settings
(`tenancy/policy_settings`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from restante.cli.display import Column, JsonObject, human_size, human_time
from restante.cli.options import parse_octets, seconds, with_options
from restante.mail.quantity import counted, span_text
from restante.tenancy.policy_settings import SETTINGS, PolicySetting, SettingKind

NONE: Final = "none"  # removes a limit
_NO_LIMIT: Final = 0  # in the form of the API


def _limit(read: Callable[[str], int]) -> Callable[[str], int]:
    def parse(text: str) -> int:
        return _NO_LIMIT if text == NONE else read(text)

    return parse


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise typer.BadParameter(
            f"{text!r} is not a number of messages; write a whole number above 0, or {NONE}"
        )
    return int(text)


def _time_to_come(text: str) -> str:
    """Read `2d` from now, or an ISO date or time. The default time zone is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return (datetime.now(UTC) + timedelta(seconds=seconds(text))).isoformat()
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()


# The type of an option's value, the placeholder in its help, and the reader of its text.
_FORMS: Final[Mapping[SettingKind, tuple[type, str | None, Callable[[str], Any] | None]]] = {
    SettingKind.FLAG: (bool, None, None),
    SettingKind.SIZE: (int, "SIZE", _limit(parse_octets)),
    SettingKind.COUNT: (int, "N", _limit(_count)),
    SettingKind.AGE: (int, "AGE", _limit(seconds)),
    SettingKind.TIME: (str, "TIME", _time_to_come),
    SettingKind.TEXT: (str, "TEXT", None),
}


def _option(setting: PolicySetting) -> Any:
    """Return the annotation of a setting's option."""
    name = setting.name.replace("_", "-")
    if setting.kind is SettingKind.FLAG:
        name = f"{name}/--no-{name}"
    literal: Any = Literal
    form: Any = literal[setting.choices] if setting.choices else None
    metavar, parser = None, None
    if "" in setting.choices:  # which no choice on a command line can be
        form, metavar = str, "|".join(filter(None, setting.choices))
    elif form is None:
        form, metavar, parser = _FORMS[setting.kind]
    return Annotated[
        form | None, typer.Option(f"--{name}", metavar=metavar, parser=parser, help=setting.help)
    ]


def policy_options(settings: Iterable[PolicySetting]) -> dict[str, Any]:
    """Return the annotations of the options, by the names of the settings."""
    return {setting.name: _option(setting) for setting in settings}


OPTIONS: Final = policy_options(SETTINGS)

if TYPE_CHECKING:
    QuotaOption = int | None
    QuotaMessagesOption = int | None
else:
    QuotaOption = OPTIONS["quota"]
    QuotaMessagesOption = OPTIONS["quota_messages"]


def with_policy(command: Callable[..., None]) -> Callable[..., None]:
    """Add these options to a command, which gets them as `policy`, in the form of the API."""

    def given(chosen: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in chosen.items() if value is not None}

    return with_options(command, "policy", OPTIONS, given)


def human_span(span: float | None) -> str:
    """Return a span in the largest unit that divides it. None means no end."""
    return "no end" if span is None else span_text(span)


def human_quota(octets: int | None, messages: int | None) -> str:
    """Return a quota as text."""
    parts = [human_size(octets)] if octets is not None else []
    parts += [counted(messages, "message")] if messages is not None else []
    return " or ".join(parts) or NONE


HOLD_COLUMN: Final = Column("HOLD", lambda row: row["policy"]["hold"])


def policy_fields(
    domain: JsonObject, settings: Iterable[PolicySetting] = SETTINGS
) -> list[tuple[str, Any]]:
    """Return the names and values that show a domain's policy: a line for each setting.

    Settings that belong together share a line, which has a function of its own below.
    """
    policy = domain["policy"]
    shown: dict[str, Any] = {}
    for setting in settings:
        if setting.label not in shown:
            together = _TOGETHER.get(setting.label)
            shown[setting.label] = together(policy) if together else _shown(policy, setting)
    return list(shown.items())


def _shown(policy: JsonObject, setting: PolicySetting) -> str:
    value = policy[setting.name]
    match setting.kind:
        case SettingKind.FLAG:
            return "yes" if value else "no"
        case SettingKind.SIZE:
            return NONE if value is None else human_size(value)
        case SettingKind.COUNT:
            return NONE if value is None else counted(value, "message")
        case SettingKind.AGE:
            return human_span(value)
        case SettingKind.TIME:
            return human_time(value) if value else NONE
    return str(value)


def _hold(policy: JsonObject) -> str:
    if not policy["reason"]:
        return str(policy["hold"])
    until = f" until {human_time(policy['until'])}" if policy["until"] else ""
    mail = _MAIL[policy["while_suspended"]]
    otherwise = policy["hold_otherwise"]
    return f"suspended{until}, mail is {mail}: {policy['reason']}; otherwise {otherwise}"


_MAIL: Final = {"accept": "held", "defer": "deferred"}


def _accept(policy: JsonObject) -> str:
    if not policy["force_accept"]:
        return str(policy["accept"])
    until = f" until {human_time(policy['force_until'])}" if policy["force_until"] else ""
    return f"forced {policy['force_accept']}{until}, otherwise {policy['accept']}"


def _recipients(policy: JsonObject) -> str:
    if policy["recipients"] == "any":
        unused = policy["unknown"] != "accept"
        return f"any (unknown: {policy['unknown']}, not used)" if unused else "any"
    tags = ", tags ignored" if policy["ignore_tags"] else ""
    asked = ", the destination is asked" if policy["ask_destination"] else ""
    return f"{policy['recipients']}{tags}{asked}, unknown: {policy['unknown']}"


def _message_size(policy: JsonObject) -> str:
    size = policy["message_size"]
    return "the server's limit" if size is None else human_size(size)


def _after_drains(policy: JsonObject) -> str:
    """Return the result for mail that a policy of the destination defers in drains."""
    drains = policy["after_drains"]
    return NONE if drains is None else f"mark refused after {drains}"


def _retention(span: float | None, at_end: str) -> str:
    return human_span(span) if span is None else f"{human_span(span)}, then {at_end}"


_TOGETHER: Final[Mapping[str, Callable[[JsonObject], str]]] = {
    "hold": _hold,
    "accept": _accept,
    "recipients": _recipients,
    "quota": lambda policy: human_quota(policy["quota"], policy["quota_messages"]),
    "message size": _message_size,
    "after drains": _after_drains,
    "drill every": lambda policy: (
        NONE if policy["drill_every"] is None else human_span(policy["drill_every"])
    ),
    "retention": lambda policy: _retention(policy["retention"], policy["at_end"]),
    "refused retention": lambda policy: _retention(
        policy["refused_retention"], policy["refused_at_end"]
    ),
}
