"""The lines that a customer's postmaster puts on the primary, with the real names in them. Pure.

The examples for the programs that ask for mail are those of docs/how-to/ask-for-mail.md, where
they are run. The lines that let the mail in are those of `readiness/primary_snippets`.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

IMPLICIT_TLS_PORT: Final = 465
ODMR_PORT: Final = 366
_PASSWORD_FILE: Final = "/etc/restante-password"  # noqa: S105  a path
NO_LOGIN: Final = "LOGIN"  # stands where the account has no login yet
NO_NAME: Final = "HOST-NAME"  # stands where only the primary's address is known


@dataclass(frozen=True, slots=True)
class SetupNames:
    """The names that the lines contain."""

    server: str  # our host name
    port: int  # of implicit TLS
    domain: str  # A-labels
    login: str
    primary: str  # the destination's host: a name or an address; "" where there is none
    odmr_port: int = ODMR_PORT


@dataclass(frozen=True, slots=True)
class SetupLines:
    """Lines for one program or file."""

    title: str
    text: str
    note: str = ""


def asking(names: SetupNames) -> list[SetupLines]:
    """Return the ways to ask for the mail; one of them is enough."""
    at_port = "" if names.port == IMPLICIT_TLS_PORT else f":{names.port}"
    file = _PASSWORD_FILE
    etrn = (
        f"restante etrn {names.server}{at_port} {names.domain} "
        f"--login {names.login} --password-file {file}"
    )
    return [
        SetupLines(
            "restante-client",
            _client_lines("ask", names, at_port),
            "It waits until the primary's own mail server answers. `restante-client watch ask …`"
            " asks at once, every ten minutes, and when the network comes back.",
        ),
        SetupLines(
            "cron with restante etrn",
            f"*/10 * * * *  root  {etrn}\n@reboot       root  {etrn}",
            f"In /etc/crontab. {file} has the password and is readable by root alone.",
        ),
        *_with_other_programs(names, at_port),
    ]


def _with_other_programs(names: SetupNames, at_port: str) -> list[SetupLines]:
    """Return the ways that need nothing of ours on the primary."""
    return [
        SetupLines(
            "curl",
            f"(umask 077; echo 'machine {names.server} login {names.login} password PASSWORD'"
            " >> ~/.netrc)\n"
            f'curl --url smtps://{names.server}{at_port} --netrc -X "ETRN {names.domain}"',
            "The second line asks: run it from a timer, and whenever the connection comes back.",
        ),
        SetupLines(
            "fetchmail",
            f"poll {names.server} protocol ETRN port {names.port}\n"
            f'    esmtpname "{names.login}" esmtppassword "PASSWORD"\n'
            f"    fetchdomains {names.domain}\n"
            "    ssl sslcertck",
            "In ~/.fetchmailrc, which only its owner may read.",
        ),
        SetupLines(
            "msmtp",
            f"msmtp --host={names.server} --port={names.port} --tls=on --tls-starttls=off"
            f" --auth=plain --user={names.login} \\\n"
            f"      --passwordeval='cat {_PASSWORD_FILE}' --rmqs={names.domain}",
        ),
    ]


def fetching(names: SetupNames) -> SetupLines:
    """Return the way to fetch the mail over the primary's own connection."""
    at_port = "" if names.odmr_port == ODMR_PORT else f":{names.odmr_port}"
    return SetupLines(
        "restante-client, for a primary that cannot be reached",
        _client_lines("turn", names, at_port),
        f"The mail comes over the connection to {names.server}, not to the destination. The login"
        " must be allowed to do that.",
    )


def _client_lines(verb: str, names: SetupNames, at_port: str) -> str:
    return (
        f"restante-client {verb} {names.server}{at_port} {names.domain} --login {names.login} \\\n"
        f"    --password-file {_PASSWORD_FILE}"
    )


def mail_exchangers(names: SetupNames) -> SetupLines:
    """Return the domain's MX records. An MX record names a host, and never an address."""
    if not names.primary:
        return SetupLines(
            "DNS",
            f"{names.domain}.  IN MX 10 {names.server}.",
            "No other host takes the domain's mail from the Internet.",
        )
    note = (
        "The backup has the larger number. Keep the word mx out of the domain's SPF"
        " record, and name the primary's own addresses there."
    )
    try:
        address = ip_address(names.primary)
    except ValueError:
        return SetupLines("DNS", _mx_lines(names, names.primary), note)
    kind = "A" if address.version == 4 else "AAAA"  # noqa: PLR2004
    return SetupLines(
        "DNS",
        f"{_mx_lines(names, NO_NAME)}\n{NO_NAME}.  IN {kind} {address}",
        f"An MX record needs a host name, and only the address {address} is known here. Replace"
        f" {NO_NAME} with the primary's name. That name needs the {kind} record above. {note}",
    )


def _mx_lines(names: SetupNames, primary: str) -> str:
    return f"{names.domain}.  IN MX 10 {primary}.\n{names.domain}.  IN MX 20 {names.server}."
