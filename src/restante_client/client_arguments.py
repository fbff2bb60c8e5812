"""The command line of restante-client: its verbs, options and help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from restante_client import __version__
from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.option_checks import DEFAULT_LOCAL, NO_LOCAL, settle_options

PROGRAM = "restante-client"
VERBS = ("ask", "turn")  # that `watch` can run
FILES = ("systemd-service", "systemd-timer", "networkmanager", "windows")
_SPAN = re.compile(r"([0-9]{1,9})([smh]?)\Z")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_MECHANISMS = ("scram-sha-256", "plain", "cram-md5", "login", "external")
_ELSEWHERE = "; - for standard input, credential:NAME for a credential of systemd."


_EXAMPLE = "example:\n  "
EXAMPLES = {
    "ask": "restante-client ask mx2.example.net acme.example --https \\\n"
    "    --token-file /etc/restante-token",
    "turn": "restante-client turn mx2.example.net --login acme-mail \\\n"
    "    --password-file /etc/restante-password",
    "watch": "restante-client watch --every 10m turn mx2.example.net --login acme-mail \\\n"
    "    --password-file /etc/restante-password",
    "doctor": "restante-client doctor mx2.example.net acme.example \\\n"
    "    --token-file /etc/restante-token",
    "snippet": "restante-client snippet mx2.example.net acme.example --for postfix \\\n"
    "    --token-file /etc/restante-token",
}


class _HelpFormatter(argparse.HelpFormatter):
    """It keeps the lines of an example."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith(_EXAMPLE):
            return text
        return super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # both end the command
        raise ClientFailure(ClientExit.USAGE, f"{message}; see {self.prog} --help")


def read_command(words: Sequence[str]) -> argparse.Namespace:
    """Return a command with its defaults. Raises ClientFailure.

    Names and options of `ask` and `turn` may come in any order.
    """
    parser, verbs = _parsers()
    if words[:1] not in [[verb] for verb in VERBS]:
        return parser.parse_args(words)
    given: argparse.Namespace = verbs.choices[words[0]].parse_intermixed_args(words[1:])
    given.verb = words[0]
    settle_options(given)
    return given


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    return _parsers()[0]


def _parsers() -> tuple[_Parser, argparse._SubParsersAction[_Parser]]:
    parser = _Parser(
        prog=PROGRAM,
        description="Get the mail that a backup MX holds for this machine.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)
    _add_ask(verbs)
    _add_turn(verbs)
    _add_watch(verbs)
    _add_doctor(verbs)
    _add_snippet(verbs)
    return parser, verbs


def _add_ask(verbs: argparse._SubParsersAction[_Parser]) -> None:
    ask = _verb(
        verbs,
        "ask",
        "Ask for the mail, which then arrives as ordinary SMTP mail.",
        "The request is ETRN over TLS, or an HTTPS request with a token.",
    )
    ask.add_argument(
        "server", metavar="SERVER[:PORT]", help="The backup MX. Default port: 465, 25 or 443."
    )
    ask.add_argument(
        "domains",
        metavar="DOMAIN",
        nargs="+",
        help="A domain, @DOMAIN with its subdomains, or #ACCOUNT for all of its domains.",
    )
    _add_login(ask, default_tls="implicit")
    ask.add_argument("--https", action="store_true", help="Ask by HTTPS with a token.")
    ask.add_argument(
        "--token-file", metavar="FILE", help=f"File with the token in its first line{_ELSEWHERE}"
    )
    ask.add_argument(
        "--wait",
        action="store_true",
        help="With --https: show the progress, and wait until the mail was handed over.",
    )
    ask.add_argument(
        "--limit",
        metavar="SPAN",
        type=read_span,
        help="With --wait: stop waiting after this time, with exit code 75. Default: 12h.",
    )
    _add_local(ask, f" {NO_LOCAL}: do not wait for it.")
    _add_output(ask)


def _add_turn(verbs: argparse._SubParsersAction[_Parser]) -> None:
    turn = _verb(
        verbs,
        "turn",
        "Fetch the mail over this connection, also behind CGNAT.",
        "The request is ATRN (RFC 2645). This program passes the octets between the backup MX"
        " and the local mail server.",
    )
    turn.add_argument(
        "server", metavar="SERVER[:PORT]", help="The backup MX. Default port: 366 or 465."
    )
    turn.add_argument(
        "domains",
        metavar="DOMAIN",
        nargs="*",
        default=[],  # without it argparse calls the name required
        help="A domain of the login. Default: all that allow a turnaround.",
    )
    _add_login(turn, default_tls="starttls")
    _add_local(turn, "")
    turn.add_argument(
        "--idle",
        metavar="SPAN",
        type=read_span,
        default=660,  # RFC 5321 §4.5.3.2.6 lets a server take ten minutes for a message
        help="End the session when neither side says anything for this time. Default: 660s.",
    )
    turn.add_argument(
        "--limit",
        metavar="SPAN",
        type=read_span,
        help="End the session after this time in any case. Default: 12h.",
    )
    _add_output(turn)


def _add_watch(verbs: argparse._SubParsersAction[_Parser]) -> None:
    watch = _verb(
        verbs,
        "watch",
        "Run ask or turn now, at intervals, and when the network comes back.",
        "Options of watch stand before the verb. After exit code 69 or 75 it runs again earlier,"
        " and once the server can be reached.",
    )
    watch.add_argument(
        "--every",
        metavar="SPAN",
        type=read_span,
        default=600,
        help="Time between two runs, such as 90s, 10m or 1h. Default: 10m.",
    )
    watch.add_argument(
        "--print",
        dest="files",
        choices=FILES,
        help="Print a file that starts the command, and end: at boot, at intervals, or when the"
        " network comes up.",
    )
    watch.add_argument(
        "command",
        metavar="VERB …",
        nargs=argparse.REMAINDER,
        help="ask or turn, with its arguments. --print systemd-timer needs none.",
    )


def _add_doctor(verbs: argparse._SubParsersAction[_Parser]) -> None:
    doctor = _verb(
        verbs,
        "doctor",
        "Check whether the mail of a domain would arrive after an outage.",
        "The backup MX checks DNS, this machine from outside, and its records, over HTTPS with a"
        " token. This program adds the local mail server and the clock. No mail is sent.",
    )
    _add_api(doctor, "domain:write", 120)
    doctor.add_argument(
        "--local",
        metavar="HOST:PORT",
        default=DEFAULT_LOCAL,
        help=f"The local mail server. Default: {DEFAULT_LOCAL}. {NO_LOCAL}: leave it out.",
    )
    _add_output(doctor)


def _add_snippet(verbs: argparse._SubParsersAction[_Parser]) -> None:
    snippet = _verb(
        verbs,
        "snippet",
        "Print lines for this mail server, so that it judges the original client of held mail.",
        "They come from the backup MX over HTTPS with a token, and have its addresses.",
    )
    _add_api(snippet, "domain:read", 60)
    snippet.add_argument(
        "--for",
        dest="program",
        metavar="PROGRAM",
        required=True,
        help="Such as postfix, postfix-proxy, rspamd, exim, stalwart, mailcow or exchange.",
    )
    _add_output(snippet)


def _add_api(verb: argparse.ArgumentParser, scope: str, seconds: int) -> None:
    verb.add_argument("server", metavar="SERVER[:PORT]", help="The backup MX. Default port: 443.")
    verb.add_argument("domain", metavar="DOMAIN", help="The domain.")
    verb.add_argument(
        "--token-file",
        metavar="FILE",
        required=True,
        help=f"File with a token of the scope {scope} in its first line{_ELSEWHERE}",
    )
    _add_trust(verb)
    _add_timeout(verb, seconds)
    verb.set_defaults(certificate=None, key=None)


def _verb(
    verbs: argparse._SubParsersAction[_Parser], name: str, does: str, more: str
) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=does,
        description=f"{does} {more}",
        epilog=f"{_EXAMPLE}{EXAMPLES[name]}",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )


def _add_login(verb: argparse.ArgumentParser, default_tls: str) -> None:
    verb.add_argument("--login", metavar="USER", default="", help="User name of the login.")
    verb.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"File with the password in its first line{_ELSEWHERE}",
    )
    verb.add_argument(
        "--certificate",
        metavar="FILE",
        help="Client certificate in PEM, for AUTH EXTERNAL instead of a password.",
    )
    verb.add_argument("--key", metavar="FILE", help="Its key in PEM. Default: in the same file.")
    verb.add_argument(
        "--auth", choices=_MECHANISMS, help="SASL mechanism. Default: the best that is offered."
    )
    verb.add_argument(
        "--tls",
        choices=("implicit", "starttls"),
        help=f"TLS from the first byte, or after STARTTLS. Default: {default_tls}.",
    )
    _add_trust(verb)
    _add_timeout(verb, 60)


def _add_trust(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--ca",
        metavar="FILE",
        help="PEM file of trusted authorities. Default: the system's.",
    )
    verb.add_argument(
        "--pin",
        metavar="SHA256",
        help="Trust the server with this public key, whatever its certificate says.",
    )


def _add_timeout(verb: argparse.ArgumentParser, seconds: int) -> None:
    verb.add_argument(
        "--timeout",
        metavar="SPAN",
        type=read_span,
        default=seconds,
        help=f"Time limit for each reply. Default: {seconds}s.",
    )


def _add_local(verb: argparse.ArgumentParser, more: str) -> None:
    verb.add_argument(
        "--local",
        metavar="HOST:PORT",
        help="The local mail server; its greeting is awaited first."
        f" Default: {DEFAULT_LOCAL}.{more}",
    )
    verb.add_argument(
        "--local-wait",
        metavar="SPAN",
        type=read_span,
        help="Wait at most this time for the local mail server. Default: 10m.",
    )


def _add_output(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="Print one JSON object.")


def read_span(text: str) -> int:
    """Return the seconds of a span such as 90, 90s, 10m or 1h. Raises ArgumentTypeError."""
    found = _SPAN.match(text)
    seconds = int(found.group(1)) * _UNIT_SECONDS[found.group(2)] if found else 0
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span such as 90s, 10m or 1h")
    return seconds
