"""`restante etrn`: ask for mail on behalf of a primary that cannot send ETRN itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from restante.cli.display import say
from restante.cli.failures import Exit, Failure
from restante.cli.options import REQUIRED, with_options
from restante.mail.address import canonical_domain

if TYPE_CHECKING:
    from restante_client.etrn_request import MailServer

_SESSION: Final[Mapping[str, Any]] = {
    "login": Annotated[
        str, typer.Option("--login", metavar="USER", help="User name of the login.")
    ],
    "password_file": Annotated[
        str,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="File with the password in its first line; - for standard input.",
        ),
    ],
    "tls": Annotated[
        Literal["implicit", "starttls"],
        typer.Option("--tls", help="TLS from the first byte, or after STARTTLS."),
    ],
    "ca": Annotated[
        Path | None,
        typer.Option(
            "--ca", metavar="FILE", help="PEM file of trusted authorities. Default: the system's."
        ),
    ],
    "auth": Annotated[
        Literal["scram-sha-256", "plain", "cram-md5", "login"] | None,
        typer.Option(
            "--auth", help="SASL mechanism. Default: the first of these that the server offers."
        ),
    ],
    "timeout": Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="Time limit for each reply."),
    ],
}
_DEFAULTS: Final[Mapping[str, object]] = {
    "login": REQUIRED,
    "password_file": REQUIRED,
    "tls": "implicit",
    "timeout": 60.0,
}


def _with_session(command: Callable[..., int]) -> Callable[..., int]:
    """Give the command the options of the session with the backup MX."""
    return with_options(command, "session", _SESSION, dict, _DEFAULTS)


@_with_session
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
    session: Mapping[str, Any],
) -> int:
    """Ask a backup MX for the mail it holds.

    Run this on a primary that cannot send ETRN itself. It sends ETRN over TLS with a verified
    certificate. The mail then arrives at the destination as ordinary SMTP mail.
    """
    from restante_client.client_failure import ClientFailure  # noqa: PLC0415  heavy
    from restante_client.etrn_request import ask_by_etrn  # noqa: PLC0415
    from restante_client.smtp_replies import etrn_exit, etrn_words  # noqa: PLC0415

    worst = Exit.DONE
    try:
        asked = _mail_server(server, session)
        answers = ask_by_etrn(asked, [_in_ascii(domain) for domain in domains])
        for domain, (_, code, text) in zip(domains, answers, strict=True):
            say(f"{domain}: {etrn_words(code)} ({f'{code} ' if code > 0 else ''}{text})")
            worst = max(worst, Exit(etrn_exit(code)))
    except ClientFailure as failure:
        raise Failure(Exit(failure.code), failure.text) from None
    return worst


def _mail_server(server: str, session: Mapping[str, Any]) -> "MailServer":
    """Return the backup MX as the client takes it, with the password. Raises ClientFailure."""
    from restante_client.etrn_request import MailServer  # noqa: PLC0415  heavy
    from restante_client.sasl_exchange import ClientCredentials  # noqa: PLC0415
    from restante_client.secret_input import read_secret  # noqa: PLC0415
    from restante_client.tls_trust import ClientTrust  # noqa: PLC0415

    password, mechanism = read_secret(session["password_file"]), (session["auth"] or "").upper()
    credentials = ClientCredentials(session["login"], password, mechanism)
    trust, is_implicit = ClientTrust(session["ca"]), session["tls"] == "implicit"
    return MailServer(server, credentials, trust, is_implicit, session["timeout"])


def _in_ascii(target: str) -> str:
    """Return a target with its domain in ASCII, by IDNA 2008; the client knows IDNA 2003 only."""
    mark = target[:1] if target[:1] in ("@", "#") else ""
    try:
        return target if mark == "#" else mark + canonical_domain(target.removeprefix(mark))
    except ValueError:
        return target  # the client says what is wrong with it
