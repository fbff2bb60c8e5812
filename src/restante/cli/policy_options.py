"""The options of a domain's policy, for the commands that add or change a domain."""

import functools
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.display import Column, Row, human_size, human_time
from restante.cli.options import octets, seconds
from restante.mail.quantity import counted

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


_size, _age = _limit(octets), _limit(seconds)

QuotaOption = Annotated[
    int | None,
    typer.Option(
        "--quota",
        metavar="SIZE",
        parser=_size,
        help="Maximum size of held mail: 10G, or none. Above it RCPT gets 452.",
    ),
]
QuotaMessagesOption = Annotated[
    int | None,
    typer.Option(
        "--quota-messages",
        metavar="N",
        parser=_limit(_count),
        help="Maximum number of held messages, or none.",
    ),
]

OPTIONS: Final[dict[str, Any]] = {
    "hold": Annotated[
        Literal["until-asked", "on-return", "relay", "suspended"] | None,
        typer.Option(
            "--hold",
            help="When to hand mail over. until-asked: on request only (new domains). on-return:"
            " also when the destination is back. relay: at once, like any secondary. suspended:"
            " never. Each of the first three ends a suspension.",
        ),
    ],
    "reason": Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="TEXT",
            help="Reason for the audit trail and, with --hold suspended, for the suspension.",
        ),
    ],
    "until": Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            parser=_time_to_come,
            help="End of the suspension: 2d, 2026-12-01, or an ISO time.",
        ),
    ],
    "while_suspended": Annotated[
        Literal["accept", "defer"] | None,
        typer.Option(
            "--while-suspended",
            help="New mail during the suspension: hold it (accept), or answer 450 (defer).",
        ),
    ],
    "accept": Annotated[
        Literal["always", "when-down"] | None,
        typer.Option(
            "--accept",
            help="Accept mail always, or only while the destination is down (needs on-return).",
        ),
    ],
    "force_accept": Annotated[
        str | None,
        typer.Option(
            "--force-accept",
            metavar="on|off",
            help='Override --accept: accept mail (on) or defer it (off); "" ends this.',
        ),
    ],
    "force_until": Annotated[
        str | None,
        typer.Option(
            "--force-until", metavar="TIME", parser=_time_to_come, help="End of --force-accept."
        ),
    ],
    "recipients": Annotated[
        Literal["any", "list", "learned"] | None,
        typer.Option(
            "--recipients",
            help="Known addresses: any, the list of `restante recipient`, or also the addresses"
            " that the destination accepted (learned).",
        ),
    ],
    "unknown": Annotated[
        Literal["accept", "defer", "reject"] | None,
        typer.Option(
            "--unknown",
            help="Unknown addresses: accept the mail, answer 450 (defer) or 550 (reject).",
        ),
    ],
    "ignore_tags": Annotated[
        bool | None,
        typer.Option("--ignore-tags/--no-ignore-tags", help="Treat user+tag as known if user is."),
    ],
    "ask_destination": Annotated[
        bool | None,
        typer.Option(
            "--ask-destination/--no-ask-destination",
            help="At RCPT, ask the destination about an unknown mailbox while it is up (needs"
            " learned).",
        ),
    ],
    "quota": QuotaOption,
    "quota_messages": QuotaMessagesOption,
    "message_size": Annotated[
        int | None,
        typer.Option(
            "--message-size",
            metavar="SIZE",
            parser=_size,
            help="Maximum size of a message, below the server's limit; or none.",
        ),
    ],
    "retention": Annotated[
        int | None,
        typer.Option(
            "--retention",
            metavar="AGE",
            parser=_age,
            help="How long mail is held: 30d, or none for no limit.",
        ),
    ],
    "at_end": Annotated[
        Literal["keep", "delete", "bounce"] | None,
        typer.Option("--at-end", help="Action when the retention is over."),
    ],
    "refused_retention": Annotated[
        int | None,
        typer.Option(
            "--refused-retention",
            metavar="AGE",
            parser=_age,
            help="How long refused mail is held, or none. New domains: 14d.",
        ),
    ],
    "refused_at_end": Annotated[
        Literal["keep", "delete", "bounce"] | None,
        typer.Option("--refused-at-end", help="Action when it is over."),
    ],
    "on_refusal": Annotated[
        Literal["keep", "bounce"] | None,
        typer.Option("--on-refusal", help="Action when the destination refuses mail."),
    ],
}


def with_policy(command: Callable[..., None]) -> Callable[..., None]:
    """Add these options to a command, which gets them as `policy`, in the form of the API."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in OPTIONS}
        command(
            **given, policy={name: value for name, value in chosen.items() if value is not None}
        )

    signature = inspect.signature(command)
    kept = [parameter for parameter in signature.parameters.values() if parameter.name != "policy"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in OPTIONS.items()
    ]
    run.__signature__ = signature.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    kinds = {parameter.name: parameter.annotation for parameter in (*kept, *options)}
    run.__annotations__ = kinds | {"return": None}
    return run


def human_span(span: float | None) -> str:
    """Return a span in the largest unit that divides it. None means no end."""
    if span is None:
        return "no end"
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if span >= length and not span % length:
            return f"{span / length:.0f}{unit}"
    return f"{span:.0f}s"


def human_quota(octets: int | None, messages: int | None) -> str:
    """Return a quota as text."""
    parts = [human_size(octets)] if octets is not None else []
    parts += [counted(messages, "message")] if messages is not None else []
    return " or ".join(parts) or NONE


HOLD_COLUMN: Final = Column("HOLD", lambda row: row["policy"]["hold"])


def policy_fields(domain: Row) -> list[tuple[str, Any]]:
    """Return the names and values that show a domain's policy."""
    policy = domain["policy"]
    return [
        ("hold", _hold(policy)),
        ("accept", _accept(policy)),
        ("recipients", _recipients(policy)),
        ("quota", human_quota(policy["quota"], policy["quota_messages"])),
        (
            "message size",
            "the server's limit"
            if policy["message_size"] is None
            else human_size(policy["message_size"]),
        ),
        ("retention", _retention(policy["retention"], policy["at_end"])),
        ("refused retention", _retention(policy["refused_retention"], policy["refused_at_end"])),
        ("on refusal", policy["on_refusal"]),
    ]


def _hold(policy: Row) -> str:
    if not policy["reason"]:
        return str(policy["hold"])
    until = f" until {human_time(policy['until'])}" if policy["until"] else ""
    mail = _MAIL[policy["while_suspended"]]
    return (
        f"suspended{until}, mail is {mail}: {policy['reason']}; otherwise"
        f" {policy['hold_otherwise']}"
    )


_MAIL: Final = {"accept": "held", "defer": "deferred"}


def _accept(policy: Row) -> str:
    if not policy["force_accept"]:
        return str(policy["accept"])
    until = f" until {human_time(policy['force_until'])}" if policy["force_until"] else ""
    return f"forced {policy['force_accept']}{until}, otherwise {policy['accept']}"


def _recipients(policy: Row) -> str:
    if policy["recipients"] == "any":
        return "any"
    tags = ", tags ignored" if policy["ignore_tags"] else ""
    asked = ", the destination is asked" if policy["ask_destination"] else ""
    return f"{policy['recipients']}{tags}{asked}, unknown: {policy['unknown']}"


def _retention(span: float | None, at_end: str) -> str:
    return human_span(span) if span is None else f"{human_span(span)}, then {at_end}"
