"""`restante account`: the customers of the platform."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    number_column,
    say,
    show_added,
    show_changed,
    show_json,
    show_listing,
    show_record,
    size_column,
    text_column,
    time_column,
)
from restante.cli.domain_options import without_none
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    OptionalReasonOption,
    ReasonOption,
    with_options,
)
from restante.cli.policy_options import QuotaMessagesOption, QuotaOption, human_quota
from restante.tenancy.history_detail import HistoryDetail

group = typer.Typer(name="account", help="The customers of the platform.")

AccountArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The account: a-z 0-9 . _ -. `ETRN #NAME` uses it too."),
]
NoteOption = Annotated[
    str | None, typer.Option("--note", metavar="TEXT", help="A note for the operator, one line.")
]
EmptyReplyOption = Annotated[
    Literal["250", "251"] | None,
    typer.Option(
        "--empty-reply",
        help="Reply to ETRN when nothing is held. fetchmail with several domains needs 250.",
    ),
]
ReportDetailsOption = Annotated[
    Literal["on", "off"] | None,
    typer.Option(
        "--report-details",
        help="Quote the primary in reports of success and delay. New accounts: off.",
    ),
]
HistoryOption = Annotated[
    HistoryDetail | None,
    typer.Option(
        "--history",
        help="How much `trace` and the log keep of its mail: addresses in full, their domains"
        " alone, or nothing. New accounts: full.",
    ),
]
ChangeLockOption = Annotated[
    Literal["on", "off"] | None,
    typer.Option(
        "--change-lock",
        help="Refuse changes of destinations and authorized hosts by the account. New accounts:"
        " off.",
    ),
]

COLUMNS = (
    text_column("NAME", "name"),
    number_column("DOMAINS", "domains"),
    number_column("LOGINS", "logins"),
    number_column("EMPTY REPLY", "empty_reply"),
    number_column("MESSAGES", "messages"),
    size_column("SIZE", "octets"),
    Column("QUOTA", lambda row: human_quota(row["quota"], row["quota_messages"])),
    time_column("ADDED", "created_at"),
    text_column("NOTE", "note"),
)
DETAILS = (
    *COLUMNS,
    Column("REPORT DETAILS", lambda row: "on" if row["report_details"] else "off"),
    text_column("HISTORY", "history"),
    Column("CHANGE LOCK", lambda row: "on" if row["change_lock"] else "off"),
    number_column("TOKENS", "tokens"),
)


_FIELDS: Final[Mapping[str, Any]] = {
    "note": NoteOption,
    "empty_reply": EmptyReplyOption,
    "quota": QuotaOption,
    "quota_messages": QuotaMessagesOption,
    "report_details": ReportDetailsOption,
    "history": HistoryOption,
    "change_lock": ChangeLockOption,
}
_SWITCHES: Final = ("report_details", "change_lock")


def _fields_of(options: Mapping[str, Any]) -> JsonObject:
    """Return the fields of the API that these options give."""
    given = without_none(**options)
    switches = {name: given[name] == "on" for name in _SWITCHES if name in given}
    if "empty_reply" in given:
        given["empty_reply"] = int(given["empty_reply"])
    if "history" in given:
        given["history"] = str(given["history"])
    return given | switches


def _with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of an account's fields."""
    return with_options(command, "given", _FIELDS, _fields_of)


@group.command("add")
@_with_fields
def add(
    name: AccountArgument,
    *,
    given: JsonObject,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add an account."""
    body = {"name": name, **given}
    added = ask(config, "POST", "/v1/accounts", params={"reason": reason}, body=body)
    show_added(f"account {name}", added, added["changes"], as_json=as_json)


@group.command("list")
def list_all(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List all accounts."""
    show_listing(
        ask(config, "GET", "/v1/accounts", params={"limit": 500}),
        COLUMNS,
        as_json=as_json,
        thing="account",
    )


@group.command("show")
def show(
    name: AccountArgument, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Show one account."""
    account = ask(config, "GET", f"/v1/accounts/{segment(name)}")
    if as_json:
        show_json(account)
    else:
        show_record((column.title.lower(), column.cell(account)) for column in DETAILS)


@group.command("set")
@_with_fields
def change(
    name: AccountArgument,
    *,
    given: JsonObject,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Change the given settings of an account."""
    if not given:
        raise typer.BadParameter(
            "nothing to change: give --note, --empty-reply, --quota, --quota-messages,"
            " --report-details, --history or --change-lock"
        )
    done = ask(
        config, "PATCH", f"/v1/accounts/{segment(name)}", params={"reason": reason}, body=given
    )
    show_changed(f"account {name}", done, done["changes"], as_json=as_json)


@group.command("remove")
def remove(name: AccountArgument, reason: ReasonOption, config: ConfigOption = None) -> None:
    """Remove an account that has no logins and no domains."""
    ask(config, "DELETE", f"/v1/accounts/{segment(name)}", params={"reason": reason})
    say(f"account {name} removed")
