"""`restante user`: users of the portal. The link of an invitation is printed once."""

from typing import Annotated, Any, Final

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    human_time,
    say,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.failures import complain
from restante.cli.options import ConfigOption, JsonOption, OptionalReasonOption, ReasonOption, owner
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.portal_user_state import PortalUserState, SecondFactor

group = typer.Typer(name="user", help="Users of the portal: people who sign in with a browser.")

OPERATOR: Final = "(operator)"

EmailArgument = Annotated[
    str, typer.Argument(metavar="EMAIL", help="The email address of the user.")
]
UserAccountOption = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="ACCOUNT",
        help="The account. Without it: the operators.",
        show_default=False,
    ),
]
ScopesOption = Annotated[
    list[Scope] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="content:read or domain:direct, in addition to the role; repeat for both.",
        show_default=False,
    ),
]


def _rights(row: JsonObject) -> str:
    return ", ".join([row["role"], *row["scopes"]])


COLUMNS = (
    text_column("EMAIL", "email"),
    Column("ACCOUNT", lambda row: row["account"] or OPERATOR),
    Column("STATE", lambda row: PortalUserState.text_of(row["state"])),
    Column("MAY", _rights),
    Column(
        "SECOND FACTOR", lambda row: ", ".join(map(SecondFactor.text_of, row["second_factors"]))
    ),
    text_column("PROVIDER", "provider", is_detail=True),
    time_column("SIGNED IN", "signed_in_at"),
    Column("INVITED UNTIL", lambda row: human_time(row["invited_until"]), is_detail=True),
    text_column("INVITED BY", "created_by", is_detail=True),
)


@group.command("invite")
def invite(
    email: EmailArgument,
    *,
    role: Annotated[GrantedRole, typer.Option("--role", help="The rights of the user.")],
    account: UserAccountOption = None,
    scope: ScopesOption = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Let an existing user set a new password and second factor."),
    ] = False,
    reason: OptionalReasonOption = None,
    config: ConfigOption = None,
) -> None:
    """Invite a user and print a one-time link, which is good for 30 minutes.

    There, the user sets a password and an app for one-time codes.
    """
    body: dict[str, Any] = {"email": email, "account": account or "", "role": role, "again": again}
    if scope:
        body["scopes"] = scope
    invited = ask(config, "POST", "/v1/users", params={"reason": reason}, body=body)
    complain(f"{invited['email']} invited; send the link by a way that others cannot read")
    complain("it is shown only once and works once, within 30 minutes")
    say(invited["link"])


@group.command("link")
def link(
    email: EmailArgument, *, reason: OptionalReasonOption = None, config: ConfigOption = None
) -> None:
    """Print a link that opens the portal for a user of an account: once, within 30 seconds.

    It proves no factor, so critical actions still ask for one. There are no links for operators.
    """
    made = ask(config, "POST", "/v1/portal-links", params={"reason": reason}, body={"user": email})
    complain(f"for {made['user']}, good once and for 30 seconds")
    say(made["link"])


@group.command("list")
def list_all(
    account: Annotated[
        str | None,
        typer.Argument(metavar="ACCOUNT", help="Only of this account.", show_default=False),
    ] = None,
    *,
    operator: Annotated[bool, typer.Option("--operator", help="Only the operators.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List users of the portal."""
    whose = owner(account, is_operator=operator)
    rows = ask(config, "GET", "/v1/users", params={"account": whose})
    show_listing(rows, COLUMNS, as_json=as_json, thing="user")


@group.command("set")
def change(
    email: EmailArgument,
    *,
    role: Annotated[
        GrantedRole | None, typer.Option("--role", help="The new role.", show_default=False)
    ] = None,
    scope: ScopesOption = None,
    reason: OptionalReasonOption = None,
    config: ConfigOption = None,
) -> None:
    """Change the rights of a user, which ends its sessions."""
    body: dict[str, Any] = {"role": role} if role else {}
    if scope:
        body["scopes"] = scope
    if not body:
        raise typer.BadParameter("give --role or --scope")
    ask(config, "PATCH", f"/v1/users/{segment(email)}", params={"reason": reason}, body=body)
    say(f"user {email} changed")


@group.command("remove")
def remove(email: EmailArgument, reason: ReasonOption, config: ConfigOption = None) -> None:
    """Remove a user at once, with its sessions and the tokens that it made."""
    ask(config, "DELETE", f"/v1/users/{segment(email)}", params={"reason": reason})
    say(f"user {email} removed")
