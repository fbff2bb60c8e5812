"""The options of `restante domain add` and `set`, and the fields of the API that they give."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.options import password_from_stdin, with_options
from restante.phrases import cause_of
from restante.tenancy.model import DEFAULT_CONNECTIONS


class AllowOrDeny(StrEnum):
    """Whether something is allowed."""

    ALLOW = "allow"
    DENY = "deny"


DomainAccountOption = Annotated[
    str, typer.Option("--account", metavar="NAME", help="The account of the domain.")
]
DestinationOption = Annotated[
    str,
    typer.Option(
        "--destination",
        metavar="HOST[:PORT]",
        help="The primary: host name or address, and port (25). Mail goes to it and nowhere else."
        " none: the mail leaves by ATRN only.",
    ),
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="HOST",
        help='Address, network or host name that may request the mail; repeatable; "" for none.',
    ),
]
NewAccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", help="Move the domain to this account."),
]
NewDestinationOption = Annotated[
    str | None,
    typer.Option("--destination", metavar="HOST[:PORT]", help="The new primary."),
]
AddAllowOption = Annotated[
    list[str] | None,
    typer.Option("--add-allow", metavar="HOST", help="Add an authorized host; repeatable."),
]
DropAllowOption = Annotated[
    list[str] | None,
    typer.Option("--drop-allow", metavar="HOST", help="Remove an authorized host; repeatable."),
]
TlsOption = Annotated[
    Literal["off", "opportunistic", "required", "verify"] | None,
    typer.Option(
        "--tls",
        help="TLS to the destination; `verify` checks its certificate. New domains: opportunistic.",
    ),
]

TlsCaOption = Annotated[
    str | None,
    typer.Option(
        "--tls-ca",
        metavar="FILE",
        help="For verify: trusted authorities. FILE: a PEM file that the server reads at each"
        ' connection. @FILE: the server stores its text. "": the authorities of the system.',
    ),
]
TlsPinOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tls-pin",
        metavar="SHA256",
        help='For verify: SHA-256 of the destination\'s public key, hex or base64; repeatable; ""'
        " for none.",
    ),
]
PinNowOption = Annotated[
    bool,
    typer.Option(
        "--pin-now",
        help="Connect to the destination now, show its key, and accept only this key (--tls"
        " verify).",
    ),
]
DestinationLoginOption = Annotated[
    str | None,
    typer.Option(
        "--destination-login",
        metavar="USER",
        help='User name for AUTH at the destination; "" for none.',
    ),
]
DestinationPasswordOption = Annotated[
    bool,
    typer.Option(
        "--destination-password-stdin",
        help="Read the password for the destination from standard input.",
    ),
]
ConnectionsOption = Annotated[
    int | None,
    typer.Option(
        "--connections",
        metavar="N",
        min=1,
        max=100,
        help=f"Maximum of parallel connections. New domains: {DEFAULT_CONNECTIONS}. If all"
        " of them wait a minute for a reply, up to four more are opened.",
    ),
]
PerMinuteOption = Annotated[
    int | None,
    typer.Option(
        "--per-minute",
        metavar="N",
        min=0,
        max=10_000,
        help="Maximum of messages a minute; 0: no limit. Domains with one destination share the"
        " lowest.",
    ),
]

ClientAddressOption = Annotated[
    Literal["none", "proxy", "xclient"] | None,
    typer.Option(
        "--client-address",
        help="How the destination is told the address of the client that mail came from. proxy: the"
        " PROXY protocol begins each connection; only for a port that expects it. xclient: the"
        " command XCLIENT; mail stays held where it is not offered. New domains: none.",
    ),
]


PrivateDestinationOption = Annotated[
    AllowOrDeny | None,
    typer.Option(
        "--private-destination",
        help="Whether a destination that an account chose may have an address outside the"
        " public Internet.",
        show_default=False,
    ),
]

_OF_DESTINATION: Final[Mapping[str, Any]] = {
    "tls": TlsOption,
    "tls_ca": TlsCaOption,
    "tls_pin": TlsPinOption,
    "pin_now": PinNowOption,
    "destination_login": DestinationLoginOption,
    "destination_password_stdin": DestinationPasswordOption,
    "connections": ConnectionsOption,
    "per_minute": PerMinuteOption,
    "client_address": ClientAddressOption,
}
NEW_DOMAIN: Final[Mapping[str, Any]] = {"allow": AllowOption, **_OF_DESTINATION}
DOMAIN_CHANGES: Final[Mapping[str, Any]] = {
    "account": NewAccountOption,
    "destination": NewDestinationOption,
    "allow": AllowOption,
    "add_allow": AddAllowOption,
    "drop_allow": DropAllowOption,
    **_OF_DESTINATION,
    "private_destination": PrivateDestinationOption,
}


def with_new_domain(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a new domain to a command, which gets the fields of the API."""
    return with_options(command, "fields", NEW_DOMAIN, given_domain_fields)


def with_domain_changes(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a domain's changes to a command, which gets the fields of the API."""
    return with_options(command, "fields", DOMAIN_CHANGES, given_domain_fields)


def given_domain_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the API that these options give. Raises typer.BadParameter.

    A password for the destination is read from standard input.
    """
    direct = ("account", "destination", "tls", "destination_login", "connections", "per_minute")
    fields = {name: given.get(name) for name in (*direct, "client_address")}
    for name in ("add_allow", "drop_allow", "pin_now"):
        fields[name] = given.get(name) or None
    fields["allow"], fields["tls_pins"] = _listed(given["allow"]), _listed(given["tls_pin"])
    fields["tls_ca"] = _authority(given["tls_ca"])
    if given["destination_password_stdin"]:
        fields["destination_password"] = password_from_stdin()
    if (private := given.get("private_destination")) is not None:
        fields["private_destination"] = private is AllowOrDeny.ALLOW
    return without_none(**fields)


def _authority(given: str | None) -> str | None:
    """Return the value of --tls-ca as the API takes it. Raises typer.BadParameter."""
    if not given or not given.startswith("@"):
        return str(Path(given).absolute()) if given else given  # the server's directory is another
    try:
        return Path(given[1:]).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--tls-ca {given}: cannot be read: {cause_of(error)}") from None


def reason_and_policy(policy: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the reason for the audit trail, and the policy's fields.

    A suspension keeps the reason too.
    """
    fields = dict(policy)
    reason = fields.get("reason")
    if fields.get("hold") != "suspended" and not fields.keys() & {"until", "while_suspended"}:
        fields.pop("reason", None)
    return reason, fields


def _listed(texts: Sequence[str] | None) -> list[str] | None:
    """Return the listed texts, or None without any. One empty text means an empty list."""
    return [text for text in texts if text] if texts else None


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}
