"""`restante token`: tokens of the HTTP API. A token is printed once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    say,
    show_json,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.failures import complain
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    OptionalReasonOption,
    ReasonOption,
    expiry,
    owner,
    with_options,
)
from restante.tenancy.api_token import MadeKind, TokenState
from restante.tenancy.grants import GrantedRole, Scope

group = typer.Typer(name="token", help="Tokens of the HTTP API, for programs and customers.")

NEVER: Final = "never"
OPERATOR: Final = "(operator)"

OperatorOption = Annotated[
    bool, typer.Option("--operator", help="The operator's own tokens, for the whole platform.")
]


def _rights_text(row: JsonObject) -> str:
    return ", ".join([row["role"]] * bool(row["role"]) + row["scopes"])


COLUMNS = (
    text_column("ID", "id"),
    Column("ACCOUNT", lambda row: row["account"] or OPERATOR),
    text_column("NAME", "name"),
    Column("STATE", lambda row: TokenState.text_of(row["state"])),
    Column("MAY", _rights_text),
    time_column("EXPIRES", "expires_at"),
    time_column("LAST USED", "last_used_at"),
    Column("ONLY FOR", lambda row: ", ".join(row["domains"]), is_detail=True),
    Column("ONLY FROM", lambda row: ", ".join(row["networks"]), is_detail=True),
)
_MADE: Final = (
    Column("KIND", lambda row: MadeKind.text_of(row["kind"])),
    text_column("NAME", "name"),
    Column("ACCOUNT", lambda row: row["account"] or OPERATOR),
    Column("WAS", lambda row: "added" if row["was_added"] else "changed"),
    text_column("BY", "by"),
    time_column("AT", "at"),
)
_EXAMPLES: Final = (
    (Scope.QUEUE_READ, "/v1/queue"),
    (Scope.RELEASE, "/v1/releases"),
    (Scope.HISTORY_READ, "/v1/trace"),
    (Scope.AUDIT_READ, "/v1/audit"),
    (Scope.SERVER_READ, "/v1/status"),
)


_RIGHTS: Final[Mapping[str, Any]] = {
    "scope": Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="A right; repeatable: " + ", ".join(Scope) + ".",
            show_default=False,
        ),
    ],
    "role": Annotated[
        GrantedRole | None,
        typer.Option("--role", help="All rights of this role.", show_default=False),
    ],
    "domain": Annotated[
        list[str] | None,
        typer.Option(
            "--domain",
            metavar="DOMAIN",
            help="Limit it to this domain; repeat for more.",
            show_default=False,
        ),
    ],
    "network": Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="NETWORK",
            help="Accept it only from this address or network; repeatable.",
            show_default=False,
        ),
    ],
    "expires": Annotated[
        str | None,
        typer.Option(
            "--expires",
            metavar="TIME",
            help="An age such as 90d, an ISO time, or never. Default: a year.",
            show_default=False,
        ),
    ],
}


def _rights_of(given: Mapping[str, Any]) -> JsonObject:
    """Return the rights of a token as the API takes them. Raises typer.BadParameter."""
    return {
        "role": given["role"],
        "scopes": given["scope"] or [],
        "domains": given["domain"] or [],
        "networks": given["network"] or [],
        "expires_at": expiry(given["expires"]),
    }


def _with_rights(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of a token's rights and their end."""
    return with_options(command, "rights", _RIGHTS, _rights_of)


@group.command("add")
@_with_rights
def add(
    first: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT", help="The account. With --operator, give only the NAME."),
    ],
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="Name of the token: a-z 0-9 . _ -.", show_default=False
        ),
    ] = None,
    *,
    operator: OperatorOption = False,
    rights: JsonObject,
    reason: OptionalReasonOption = None,
    config: ConfigOption = None,
) -> None:
    """Add a token and print it once."""
    account, name = _whose(first, second, operator=operator)
    body = {"account": account, "name": name, **rights}
    added = ask(config, "POST", "/v1/tokens", params={"reason": reason}, body=body)
    complain(f"token {name} added with the id {added['id']}; it is shown only once")
    example = _example(rights["scopes"])
    complain(f"use it as $TOKEN: {example}")
    say(added["token"])


@group.command("list")
def list_all(
    account: Annotated[
        str | None,
        typer.Argument(metavar="ACCOUNT", help="Only of this account.", show_default=False),
    ] = None,
    *,
    operator: OperatorOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List tokens, including expired and revoked ones."""
    whose = owner(account, is_operator=operator)
    rows = ask(config, "GET", "/v1/tokens", params={"account": whose})
    show_listing(rows, COLUMNS, as_json=as_json, thing="token")


@group.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The id; `token list` shows it.")],
    reason: ReasonOption,
    config: ConfigOption = None,
) -> None:
    """Revoke a token at once, and with it all tokens that it made.

    Users, logins, channels and changes of domains that it made live on. They are listed.
    """
    ask(config, "DELETE", f"/v1/tokens/{segment(token_id)}", params={"reason": reason})
    say(f"token {token_id} revoked")
    made = ask(config, "GET", f"/v1/tokens/{segment(token_id)}/made")
    if made["records"]:
        complain("these live on; if the token was stolen, look at each, and remove it or change it")
    if made["records"] or not made["is_complete"]:
        _show_makings(made)


@group.command("made")
def show_made(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The id; `token list` shows it.")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the records that a token made or changed, and that do not end with it.

    Records of its own tokens and of users invited by it are listed too.
    """
    made = ask(config, "GET", f"/v1/tokens/{segment(token_id)}/made")
    if as_json:
        show_json(made)
    else:
        _show_makings(made)


def _show_makings(made: JsonObject) -> None:
    show_listing(made["records"], _MADE, as_json=False, thing="record")
    if not made["is_complete"]:
        complain("there may be more: the audit trail is too long to read all of it")


def _whose(first: str, second: str | None, *, operator: bool) -> tuple[str, str]:
    """Return the account, "" for the operator, and the name of the token."""
    if operator:
        if second is not None:
            raise typer.BadParameter("give --operator and NAME, or ACCOUNT and NAME")
        return "", first
    if second is None:
        raise typer.BadParameter("give ACCOUNT and NAME, or --operator and NAME")
    return first, second


def _example(scopes: Sequence[Scope]) -> str:
    path = next((path for scope, path in _EXAMPLES if scope in scopes), "/v1/domains")
    return f'curl -H "Authorization: Bearer $TOKEN" https://SERVER{path}'
