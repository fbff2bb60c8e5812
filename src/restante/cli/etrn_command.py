"""`restante etrn`: ask for mail on behalf of a primary that cannot send ETRN itself."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from restante.cli.display import say
from restante.cli.etrn_reply_words import exit_for, words
from restante.cli.failures import Exit, Failure


def etrn(
    server: Annotated[
        str,
        typer.Argument(
            metavar="SERVER[:PORT]",
            help="The backup MX. Default port: 465 (implicit) or 25 (starttls).",
        ),
    ],
    domains: Annotated[
        list[str],
        typer.Argument(
            metavar="DOMAIN",
            help="A domain, @DOMAIN with its subdomains, or #ACCOUNT for all of its domains.",
        ),
    ],
    *,
    login: Annotated[str, typer.Option("--login", metavar="USER", help="User name of the login.")],
    password_file: Annotated[
        str,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="File with the password in its first line; - for standard input.",
        ),
    ],
    tls: Annotated[
        Literal["implicit", "starttls"],
        typer.Option("--tls", help="TLS from the first byte, or after STARTTLS."),
    ] = "implicit",
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca", metavar="FILE", help="PEM file of trusted authorities. Default: the system's."
        ),
    ] = None,
    auth: Annotated[
        Literal["scram-sha-256", "plain", "cram-md5", "login"] | None,
        typer.Option(
            "--auth", help="SASL mechanism. Default: the first of these that the server offers."
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="Time limit for each reply."),
    ] = 60.0,
) -> int:
    """Ask a backup MX for the mail it holds.

    Run this on a primary that cannot send ETRN itself. It sends ETRN over TLS with a verified
    certificate. The mail then arrives at the destination as ordinary SMTP mail.
    """
    from restante.cli.etrn_session import EtrnServer, ask_for_mail  # noqa: PLC0415  heavy

    asking = EtrnServer(
        server, login, _password(password_file), tls == "implicit", ca, auth, timeout
    )
    worst = Exit.DONE
    for domain, code, text in ask_for_mail(asking, domains):
        say(f"{domain}: {words(code)} ({code} {text})")
        worst = max(worst, exit_for(code))
    return worst


def _password(file: str) -> str:
    """Return the first line of the file. Raises Failure if there is none."""
    try:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise Failure(
            Exit.NO_INPUT, f"{file}: {cause}; name a file with the password in its first line"
        ) from None
    password = text.partition("\n")[0].rstrip("\r")
    if not password:
        raise Failure(Exit.USAGE, f"{file}: its first line is empty; write the password there")
    return password
