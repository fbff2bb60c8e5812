"""Arguments of the commands about logins, and how the files of certificates are read."""

from pathlib import Path
from typing import Annotated, Final

import typer

from restante.phrases import cause_of

KEY_BEGINNING: Final = 16  # digits of a key that are shown
LoginAccountArgument = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="The account of the login.")
]
UserArgument = Annotated[
    str, typer.Argument(metavar="USER", help="The user name, unique across all accounts.")
]


def certificate_text(file: Path) -> str:
    """Return the text of a file of certificates. Raises typer.BadParameter."""
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: cannot be read: {cause_of(error)}") from None
