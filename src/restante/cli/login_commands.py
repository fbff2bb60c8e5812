"""`restante login`: the logins of primaries. A password is never an argument."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    changed_document,
    human_time,
    say,
    say_added,
    say_changed,
    show_json,
    show_listing,
    show_record,
    text_column,
    time_column,
)
from restante.cli.domain_options import without_none
from restante.cli.failures import complain
from restante.cli.login_options import (
    KEY_BEGINNING,
    LoginAccountArgument,
    UserArgument,
    certificate_text,
)
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    OptionalReasonOption,
    PasswordStdinOption,
    ReasonOption,
    expiry,
    password_from_stdin,
    with_options,
)

group = typer.Typer(name="login", help="User names and passwords of primaries that request mail.")

CertificateOption = Annotated[
    Path | None,
    typer.Option(
        "--certificate",
        metavar="FILE",
        help="A client certificate (PEM) that proves the login on ODMR listeners. Without a"
        " password option, it alone does.",
        show_default=False,
    ),
]
GenerateOption = Annotated[
    bool, typer.Option("--generate", help="Generate a strong password and print it once.")
]


def _state(row: JsonObject) -> str:
    """Return what is out of the ordinary about a login."""
    words = []
    if row["expires_at"]:
        word = "expired" if row["has_expired"] else "expires"
        words.append(f"{word} {human_time(row['expires_at'])}")
    if row["old_password_valid_until"]:
        words.append(f"old password valid until {human_time(row['old_password_valid_until'])}")
    if row["turnaround"]:
        since = f" from {human_time(row['turnaround_at'])}" if row["turnaround_at"] else ""
        words.append(f"may take mail by ATRN{since}")
    if not row["has_password"]:
        words.append("by certificate only")
    return ", ".join(words)


def _certificate(one: JsonObject) -> str:
    return f"{one['key'][:KEY_BEGINNING]} {one['subject']} until {human_time(one['expires_at'])}"


COLUMNS = (
    text_column("USER", "user"),
    text_column("ACCOUNT", "account"),
    Column("CRAM-MD5", lambda row: "yes" if row["cram_md5"] else "no"),
    Column("SCRAM", lambda row: "yes" if row["scram"] else "no"),
    time_column("ADDED", "created_at"),
    time_column("LAST USED", "last_used_at"),
    Column("STATE", _state, is_detail=True),
)
DETAILS = (
    *COLUMNS[:-1],
    Column("TURNAROUND", lambda row: "yes" if row["turnaround"] else "no"),
    time_column("TURNAROUND FROM", "turnaround_at"),
    Column("PASSWORD", lambda row: "yes" if row["has_password"] else "no"),
    Column("CERTIFICATES", lambda row: ", ".join(map(_certificate, row["certificates"]))),
    Column("FROM", lambda row: row["last_used_from"] or ""),
    Column("BY", lambda row: row["last_used_mechanism"] or ""),
    time_column("EXPIRES", "expires_at"),
    Column("EXPIRED", lambda row: "yes" if row["has_expired"] else "no"),
    time_column("OLD PASSWORD UNTIL", "old_password_valid_until"),
)
ExpiresOption = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="TIME",
        help="End of the login: an age such as 90d, an ISO time, or never.",
        show_default=False,
    ),
]


TurnaroundOption = Annotated[
    bool | None,
    typer.Option(
        "--turnaround/--no-turnaround",
        help="Let it take mail by ATRN, on its own connection, from domains that allow that. Then"
        " the mail goes to its holder.",
        show_default=False,
    ),
]


class _WantedLogin(NamedTuple):
    """The fields of a login as the API takes them."""

    fields: JsonObject
    shown_once: str | None  # a generated password


_NEW: Final[Mapping[str, Any]] = {
    "password_stdin": PasswordStdinOption,
    "generate": GenerateOption,
    "no_cram_md5": Annotated[
        bool,
        typer.Option(
            "--no-cram-md5", help="Store hashes only. CRAM-MD5 needs the encrypted password."
        ),
    ],
    "certificate": CertificateOption,
    "turnaround": TurnaroundOption,
    "expires": ExpiresOption,
}


def _added(given: Mapping[str, Any]) -> _WantedLogin:
    """Return the fields of a new login. Raises typer.BadParameter."""
    is_generated, certificate = given["generate"], given["certificate"]
    password = _new_password(from_stdin=given["password_stdin"], generated=is_generated)
    if password is None and certificate is None:
        password = _prompted_password()
    fields: dict[str, Any] = {"password": password, "expires_at": expiry(given["expires"])}
    if given["no_cram_md5"]:
        fields["cram_md5"] = False
    if certificate is not None:
        fields["certificates"] = [certificate_text(certificate)]
    if given["turnaround"] is not None:
        fields["turnaround"] = given["turnaround"]
    return _WantedLogin(fields, password if is_generated else None)


def _with_new_login(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of a new login."""
    return with_options(command, "wanted", _NEW, _added)


@group.command("add")
@_with_new_login
def add(
    account: LoginAccountArgument,
    user: UserArgument,
    *,
    wanted: _WantedLogin,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a login."""
    body = {"user": user, **wanted.fields}
    done = ask(
        config,
        "POST",
        f"/v1/accounts/{segment(account)}/logins",
        params={"reason": reason},
        body=body,
    )
    if as_json:
        show_json(_document(done, done["changes"], wanted.shown_once))
    elif wanted.shown_once is not None:
        _report(f"login {user} added", wanted.shown_once)
    else:
        say_added(f"login {user}", done["changes"])


@group.command("list")
def list_all(
    account: LoginAccountArgument, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List an account's logins."""
    show_listing(
        ask(config, "GET", f"/v1/accounts/{segment(account)}/logins"),
        COLUMNS,
        as_json=as_json,
        thing="login",
    )


_CHANGES: Final[Mapping[str, Any]] = {
    "password_stdin": PasswordStdinOption,
    "generate": GenerateOption,
    "cram_md5": Annotated[
        bool | None,
        typer.Option(
            "--cram-md5/--no-cram-md5", help="Allow CRAM-MD5, or delete the encrypted password."
        ),
    ],
    "rotate": Annotated[
        bool,
        typer.Option(
            "--rotate",
            help="Keep the old password valid beside the new one. Without --password-stdin, the"
            " new one is generated and printed once.",
        ),
    ],
    "old_valid": Annotated[
        str | None,
        typer.Option(
            "--old-valid",
            metavar="TIME",
            help="With --rotate: end of the old password, an age such as 3d or an ISO time."
            " Default: 7d.",
            show_default=False,
        ),
    ],
    "end_rotation": Annotated[
        bool, typer.Option("--end-rotation", help="End the old password of a rotation now.")
    ],
    "turnaround": TurnaroundOption,
    "expires": ExpiresOption,
}


def _changed(given: Mapping[str, Any]) -> _WantedLogin:
    """Return the changes of a login. Raises typer.BadParameter."""
    from_stdin, rotates = given["password_stdin"], given["rotate"]
    is_generated = given["generate"] or (rotates and not from_stdin)
    password = _new_password(from_stdin=from_stdin, generated=is_generated)
    body: dict[str, Any] = {
        "password": password,
        "cram_md5": given["cram_md5"],
        "rotate": rotates,
        "old_valid_until": expiry(given["old_valid"]),
        "end_rotation": given["end_rotation"],
        "expires_at": expiry(given["expires"]),
        "turnaround": given["turnaround"],
    }
    if not any(body.values()) and body["cram_md5"] is None and body["turnaround"] is None:
        raise typer.BadParameter(
            "nothing to change: give --password-stdin, --generate, --rotate, --end-rotation,"
            " --expires, --[no-]turnaround or --[no-]cram-md5"
        )
    return _WantedLogin(without_none(**body), password if is_generated else None)


def _with_changes(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of a login's changes."""
    return with_options(command, "wanted", _CHANGES, _changed)


@group.command("set")
@_with_changes
def change(
    account: LoginAccountArgument,
    user: UserArgument,
    *,
    wanted: _WantedLogin,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Change a login: its password, by rotation or at once, its expiry, or its rights."""
    path = f"/v1/accounts/{segment(account)}/logins/{segment(user)}"
    done = ask(config, "PATCH", path, params={"reason": reason}, body=wanted.fields)
    if as_json:
        show_json(_document(done, done["changes"], wanted.shown_once))
    elif wanted.shown_once is not None:
        _report(f"login {user} changed", wanted.shown_once)
    else:
        say_changed(f"login {user}", done["changes"])


@group.command("show")
def show(
    account: LoginAccountArgument,
    user: UserArgument,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show a login, and when it was last used."""
    login = ask(config, "GET", f"/v1/accounts/{segment(account)}/logins/{segment(user)}")
    if as_json:
        show_json(login)
    else:
        show_record((column.title.lower(), column.cell(login)) for column in DETAILS)


@group.command("remove")
def remove(
    account: LoginAccountArgument,
    user: UserArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
) -> None:
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
        from restante.admin.login_passwords import generate_password  # noqa: PLC0415  heavy

        return generate_password()
    return None


def _prompted_password() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("no password: give --password-stdin or --generate")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _document(
    login: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], password: str | None
) -> dict[str, Any]:
    """Return JSON with a generated password, if there is one."""
    more = {} if password is None else {"password": password}
    return changed_document(login, changes, **more)


def _report(text: str, password: str) -> None:
    """Report success. Write a generated password, and nothing else, to standard output."""
    complain(f"{text}; its password is shown only once")
    say(password)
