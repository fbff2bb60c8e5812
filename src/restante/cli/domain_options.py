"""The options of `restante domain add` and `set`, and the fields of the API that they give."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from restante.cli.options import password_from_stdin
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


def given_domain_fields(
    *,
    allow: Sequence[str] | None,
    tls: str | None,
    tls_ca: str | None,
    tls_pin: Sequence[str] | None,
    destination_login: str | None,
    connections: int | None,
    per_minute: int | None,
    client_address: str | None,
) -> dict[str, Any]:
    """Return the fields of the API that these options give. Raises typer.BadParameter."""
    return without_none(
        allow=_listed(allow),
        tls=tls,
        tls_ca=_authority(tls_ca),
        tls_pins=_listed(tls_pin),
        destination_login=destination_login,
        connections=connections,
        per_minute=per_minute,
        client_address=client_address,
    )


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


def destination_password(*, is_given: bool) -> dict[str, Any]:
    """Return the password for the destination as a field, from standard input if it is given."""
    return {"destination_password": password_from_stdin()} if is_given else {}


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}
