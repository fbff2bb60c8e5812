"""`restante setup`: from nothing to a server that runs, by questions or by options."""

import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.failures import Exit, Failure
from restante.cli.options import JsonOption, with_options


def _option(name: str, metavar: str, text: str) -> Any:
    return Annotated[str | None, typer.Option(name, metavar=metavar, help=text, show_default=False)]


_OPTIONS: Final[Mapping[str, Any]] = {
    "dir": _option("--dir", "DIR", "Directory of the installation. As root: /etc/restante."),
    "hostname": _option("--hostname", "NAME", "This server's full name. Default: the machine's."),
    "user": _option("--user", "USER", "Unix user of the server; root makes it. Default: restante."),
    "certificate": Annotated[
        Literal["self-signed", "acme", "own"] | None,
        typer.Option(
            "--certificate",
            help="Where the certificate comes from. Default: self-signed. acme: Let's Encrypt.",
            show_default=False,
        ),
    ],
    "certificate_file": _option(
        "--certificate-file", "FILE", "For own: the certificate with its chain (PEM). It is copied."
    ),
    "key_file": _option("--key-file", "FILE", "For own: the certificate's key. It is copied."),
    "accept_terms": _option(
        "--accept-terms", "URL", "For acme: the authority's terms of service that you accept."
    ),
    "contact": _option("--contact", "ADDRESS", "For acme: your mail address for the authority."),
    "domain": _option("--domain", "DOMAIN", "First domain to hold mail for. Default: none."),
    "account": _option("--account", "NAME", "Its account. Default: the domain's first label."),
    "login": _option("--login", "USER", "Its login. Default: the name of the account."),
    "destination": _option("--destination", "HOST[:PORT]", "The domain's own mail server."),
    "allow": _option(
        "--allow", "HOST", "Host or network that may ask for the mail. Default: the destination."
    ),
    "primary": _option(
        "--primary", "PROGRAM", "Program of the destination, for its lines. Default: postfix."
    ),
    "listen": _option(
        "--listen",
        "ADDRESS[,ADDRESS]",
        "Addresses that take mail. As root: all, otherwise loopback.",
    ),
    "mx_port": _option("--mx-port", "PORT", "As root: 25, otherwise 2525."),
    "smtps_port": _option("--smtps-port", "PORT", "As root: 465, otherwise 4465."),
    "acme_port": _option("--acme-port", "PORT", "For acme. As root: 80, otherwise 8080."),
    "web_port": _option("--web-port", "PORT", "On loopback. Default: 8025."),
    "odmr_port": _option("--odmr-port", "PORT", "On loopback. Default: 3660."),
}


def _gathered(options: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(text) for name, text in options.items() if text is not None}


def _with_answers(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command an option for each question; it gets those that were given."""
    return with_options(command, "given", _OPTIONS, _gathered)


@_with_answers
def setup(
    *,
    given: Mapping[str, str],
    no_service: Annotated[
        bool, typer.Option("--no-service", help="Do not start the server by systemd.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: use the options, and defaults for the rest.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Set up a server: user, configuration, keys, store, first domain and service.

    It asks questions; each of them is an option too. At the end it shows the
    records to publish in DNS and the lines for the domain's own mail server. As root, the server
    is started by systemd, if that runs. Nothing that is there is replaced. If it was interrupted,
    run it again.
    """
    from restante.cli.setup_run import run_setup  # noqa: PLC0415  heavy

    asks = not yes and _can_ask(as_json=as_json, dry_run=dry_run)
    given = dict(given) | ({"service": "no"} if no_service else {})
    run_setup(given, asks=asks, is_trial=dry_run, as_json=as_json)


def _can_ask(*, as_json: bool, dry_run: bool) -> bool:
    """Return whether there is a person to ask. Raises Failure where one would have to confirm."""
    if dry_run and (as_json or not sys.stdin.isatty()):
        return False
    if as_json:
        raise Failure(Exit.USAGE, "--json: has no room for questions; pass --yes too")
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, "setup: cannot ask questions without a terminal; pass --yes")
    return True
