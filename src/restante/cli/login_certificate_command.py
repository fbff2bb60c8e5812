"""`restante login certificate`: the client certificates of a login, and new ones."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    changed_document,
    say_changed,
    show_json,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.failures import Exit, Failure, complain
from restante.cli.login_options import (
    KEY_BEGINNING,
    LoginAccountArgument,
    UserArgument,
    certificate_text,
)
from restante.cli.options import ConfigOption, JsonOption, OptionalReasonOption, with_options

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644
COLUMNS = (
    Column("KEY", lambda row: row["key"][:KEY_BEGINNING]),
    Column("CERTIFICATE", lambda row: row["sha256"][:KEY_BEGINNING]),
    text_column("SUBJECT", "subject"),
    time_column("EXPIRES", "expires_at"),
)


class _CertificateChange(NamedTuple):
    """The changes of a login's certificates."""

    add: Path | None
    generate: Path | None
    drop: str | None
    no_password: bool

    @property
    def changes_something(self) -> bool:
        return any(one is not None for one in self[:3]) or self.no_password

    def body(self, user: str) -> JsonObject:
        """Return the changes as the API takes them; make the files of a new key."""
        pem = None
        if self.add is not None:
            pem = certificate_text(self.add)
        elif self.generate is not None:
            pem = _generated(self.generate, user)
        return {
            "add_certificates": [] if pem is None else [pem],
            "drop_certificates": [] if self.drop is None else [self.drop.lower()],
            "drop_password": self.no_password,
        }


_CHANGES: Final[Mapping[str, Any]] = {
    "add": Annotated[
        Path | None,
        typer.Option("--add", metavar="FILE", help="Register the certificate in this PEM file."),
    ],
    "generate": Annotated[
        Path | None,
        typer.Option(
            "--generate",
            metavar="DIR",
            help="Make a key and a certificate in this directory, and register it.",
        ),
    ],
    "drop": Annotated[
        str | None,
        typer.Option(
            "--drop",
            metavar="KEY",
            help="Drop those with this key, or the one with this digest. The beginning is enough.",
        ),
    ],
    "no_password": Annotated[
        bool,
        typer.Option(
            "--no-password", help="Delete the password: only the certificates prove the login."
        ),
    ],
}


def _wanted(given: Mapping[str, Any]) -> _CertificateChange:
    """Return the changes that were given. Raises typer.BadParameter."""
    wanted = _CertificateChange(**given)
    if wanted.add is not None and wanted.generate is not None:
        raise typer.BadParameter("give --add or --generate, not both")
    return wanted


def _with_changes(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of changes."""
    return with_options(command, "wanted", _CHANGES, _wanted)


@_with_changes
def certificate(
    account: LoginAccountArgument,
    user: UserArgument,
    *,
    wanted: _CertificateChange,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List or change the certificates that prove a login on ODMR listeners (AUTH EXTERNAL)."""
    path = f"/v1/accounts/{segment(account)}/logins/{segment(user)}"
    if not wanted.changes_something:
        login = ask(config, "GET", path)
        show_listing(login["certificates"], COLUMNS, as_json=as_json, thing="certificate")
        return
    if wanted.generate is not None:
        ask(config, "GET", path)  # no files for a login that is not there
    done = ask(config, "PATCH", path, params={"reason": reason}, body=wanted.body(user))
    if as_json:
        show_json(changed_document(done, done["changes"]))
    else:
        say_changed(f"login {user}", done["changes"])


def _generated(directory: Path, user: str) -> str:
    """Write a new key and its certificate; return the certificate."""
    from restante.config.self_signed import (  # noqa: PLC0415  heavy
        key_pem,
        new_ecdsa_key,
        self_signed_client,
    )

    key = new_ecdsa_key()
    pem = self_signed_client(user, key, time.time())
    files = directory / f"{user}.key", directory / f"{user}.pem"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file, octets, mode in zip(files, (key_pem(key), pem), (_PRIVATE, _PUBLIC), strict=True):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as written:
                written.write(octets)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}"
        raise Failure(Exit.CANNOT_CREATE, f"{what}; name another directory") from None
    complain(f"key in {files[0]}, certificate in {files[1]}; move both to the primary")
    return pem.decode()
