"""`restante login`: the logins of primaries. A password is never an argument."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    changed_document,
    say,
    say_changed,
    show_json,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.failures import complain
from restante.cli.options import (
    ConfigFile,
    Json,
    OptionalReason,
    PasswordStdin,
    Reason,
    password_from_stdin,
)

group = typer.Typer(name="login", help="User names and passwords of primaries that request mail.")

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account of the login.")]
User = Annotated[
    str, typer.Argument(metavar="USER", help="The user name, unique across all accounts.")
]
Generate = Annotated[
    bool, typer.Option("--generate", help="Generate a strong password and print it once.")
]

COLUMNS = (
    text_column("USER", "user"),
    text_column("ACCOUNT", "account"),
    Column("CRAM-MD5", lambda row: "yes" if row["cram_md5"] else "no"),
    Column("SCRAM", lambda row: "yes" if row["scram"] else "no"),
    time_column("ADDED", "created_at"),
)


@group.command("add")
def add(
    account: Account,
    user: User,
    *,
    password_stdin: PasswordStdin = False,
    generate: Generate = False,
    no_cram_md5: Annotated[
        bool,
        typer.Option(
            "--no-cram-md5", help="Store hashes only. CRAM-MD5 needs the encrypted password."
        ),
    ] = False,
    reason: OptionalReason = None,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Add a login."""
    password = _new_password(from_stdin=password_stdin, generated=generate)
    if password is None:
        password = _prompted_password()
    body = {"user": user, "password": password, "cram_md5": not no_cram_md5}
    done = ask(
        config,
        "POST",
        f"/v1/accounts/{segment(account)}/logins",
        params={"reason": reason},
        body=body,
    )
    shown = password if generate else None
    if as_json:
        show_json(_document(done, None, shown))
    else:
        _report(f"login {user} added", shown)


@group.command("list")
def list_all(account: Account, *, as_json: Json = False, config: ConfigFile = None) -> None:
    """List an account's logins."""
    show_listing(
        ask(config, "GET", f"/v1/accounts/{segment(account)}/logins"),
        COLUMNS,
        as_json=as_json,
        thing="login",
    )


@group.command("set")
def change(
    account: Account,
    user: User,
    *,
    password_stdin: PasswordStdin = False,
    generate: Generate = False,
    cram_md5: Annotated[
        bool | None,
        typer.Option(
            "--cram-md5/--no-cram-md5", help="Allow CRAM-MD5, or delete the encrypted password."
        ),
    ] = None,
    reason: OptionalReason = None,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Change the password of a login, or allow or deny CRAM-MD5."""
    password = _new_password(from_stdin=password_stdin, generated=generate)
    body: dict[str, Any] = {"password": password, "cram_md5": cram_md5}
    if password is None and cram_md5 is None:
        raise typer.BadParameter(
            "nothing to change: give --password-stdin, --generate or --[no-]cram-md5"
        )
    path = f"/v1/accounts/{segment(account)}/logins/{segment(user)}"
    done = ask(config, "PATCH", path, params={"reason": reason}, body=body)
    if as_json:
        show_json(_document(done, done["changes"], password if generate else None))
    elif generate:
        _report(f"login {user} changed", password)
    else:
        say_changed(f"login {user}", done["changes"])


@group.command("remove")
def remove(account: Account, user: User, reason: Reason, config: ConfigFile = None) -> None:
    """Remove a login."""
    ask(
        config,
        "DELETE",
        f"/v1/accounts/{segment(account)}/logins/{segment(user)}",
        params={"reason": reason},
    )
    say(f"login {user} removed")


def _new_password(*, from_stdin: bool, generated: bool) -> str | None:
    if from_stdin and generated:
        raise typer.BadParameter("give --password-stdin or --generate, not both")
    if from_stdin:
        return password_from_stdin()
    if generated:
        from restante.admin.logins import generate_password  # noqa: PLC0415  heavy

        return generate_password()
    return None


def _prompted_password() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("no password: give --password-stdin or --generate")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _document(
    login: Mapping[str, Any], changes: Sequence[Mapping[str, Any]] | None, password: str | None
) -> dict[str, Any]:
    """Return JSON with a generated password, if there is one."""
    more = {} if password is None else {"password": password}
    return changed_document(login, changes, **more)


def _report(text: str, password: str | None) -> None:
    """Report success. Write a generated password, and nothing else, to standard output."""
    if password is None:
        say(text)
    else:
        complain(f"{text}; its password is shown only once")
        say(password)
