"""Allowed destinations of a domain's mail: any host except ourselves.

Mail delivered to our own listener would be held again under a new number, without end. So a
destination is checked by the addresses it has now. A name that cannot be resolved now is taken with
a warning, and deliveries check it again.
"""

import ipaddress
import math
import re
import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange, DomainFields, is_pem
from restante.delivery.shown_key import NoKey, shown_key
from restante.mail.address import canonical_domain
from restante.mail.quantity import counted
from restante.network.addresses import peer_address, plain_address, split_host_port
from restante.network.public_address import is_public
from restante.network.resolver import LOCALHOST, LookupFailed, Resolver
from restante.request_limits.dial_limits import DialPurpose, DialWait
from restante.tenancy.model import NO_DESTINATION, Destination, IpAddress, TlsUse
from restante.tenancy.principal import Role

Pinnable = TypeVar("Pinnable", bound=DomainFields)

SMTP_PORT = 25
_DISCARD_PORT = 9
_ZONE = re.compile(r"[A-Za-z0-9._:@-]{1,15}")  # a network interface of Linux


def read_destination(text: str) -> tuple[str, int]:
    """Return canonical host and port of HOST[:PORT], [ADDRESS]:PORT or none. Raises AdminError."""
    remedy = "write HOST, HOST:PORT, [IPv6 ADDRESS]:PORT or none"
    if text.strip().lower() == NO_DESTINATION:
        return "", SMTP_PORT
    try:
        host, port = split_host_port(text.strip(), SMTP_PORT)
    except ValueError as error:
        raise AdminError(ErrorKind.INVALID, f"destination: {error}", remedy) from None
    if host.lower() == NO_DESTINATION:
        raise AdminError(ErrorKind.INVALID, f"destination {text!r}: none has no port", remedy)
    if port == 0:
        raise AdminError(ErrorKind.INVALID, f"destination {text!r}: port 0 is not valid", remedy)
    address_text, percent, zone = host.partition("%")
    if (address := _literal(address_text)) and percent:
        return _with_zone(address, zone), port
    if address:
        return _checked_address(address), port
    try:
        return canonical_domain(host), port
    except ValueError as error:
        raise AdminError(ErrorKind.INVALID, f"destination: {error}", remedy) from None


def moved(context: AdminContext, present: Destination, host: str, port: int) -> Destination:
    """Return a destination at a host and port, with the account that chose them.

    An operator's leave for private addresses was for the former host alone.
    """
    if (host, port) == (present.host, present.port):
        return present
    set_by = context.principal.account if context.principal.role is Role.ACCOUNT else ""
    return replace(present, host=host, port=port, set_by=set_by, may_be_private=None)


def check_authority(context: AdminContext, fields: DomainFields) -> None:
    """Raise AdminError where an account names a file of this machine."""
    if context.principal.role is Role.ACCOUNT and fields.tls_ca and not is_pem(fields.tls_ca):
        error = "tls_ca: a path names a file of this server, which is for operators"
        raise AdminError(ErrorKind.NOT_ALLOWED, error, "send the certificates as PEM text")


async def judge_destination(
    context: AdminContext, host: str, port: int, *, must_be_public: bool = False
) -> list[str]:
    """Return warnings. Raises AdminError if mail sent there would come back to us.

    It raises AdminError also where only a public address will do, and there is none. An account
    gets no address and no cause from the resolver, so that it cannot explore inside names.
    """
    is_account = context.principal.role is Role.ACCOUNT
    if not host:
        return []
    if host == context.network.hostname:
        raise _loop(host, port, "it is this server's own name")
    try:
        addresses = await _addresses(context.network.resolver, host)
    except LookupFailed as error:
        cause = "cannot be resolved now" if is_account else error
        return [f"destination {host}: {cause}; mail can go there only once it resolves"]
    if must_be_public and not any(map(is_public, addresses)):
        raise AdminError(
            ErrorKind.INVALID,
            f"destination {host}: has no public address",
            "name a host on the Internet, or ask the operator to record this one",
        )
    for address in addresses:
        if any(reaches(address, port, own) for own in context.network.own_addresses):
            name = "it" if is_account else f"{address} port {port}"
            raise _loop(host, port, f"{name} is this server's own listener")
    return []


def warnings_on_trust(destination: Destination, present: Destination) -> list[str]:
    """Return warnings for a destination that only DNS identifies, if the change concerns that.

    RFC 7435 is no protection against a forged answer. `localhost` is not looked up in DNS.
    """
    if _basis_of_trust(destination) == _basis_of_trust(present):
        return []
    is_named = not (_literal(destination.host) or destination.host == LOCALHOST)
    if destination.tls is TlsUse.VERIFY or not is_named or not destination.is_reachable:
        return []
    takes = "its mail and the password for it" if destination.login else "its mail"
    cause = (
        f"a forged address in DNS would take {takes}, because nothing proves the host's identity"
    )
    remedy = "give --tls verify, or --pin-now to pin the key that it shows now"
    return [f"destination {destination.host}: {cause}; {remedy}"]


def _basis_of_trust(destination: Destination) -> tuple[str, TlsUse, bool]:
    return destination.host, destination.tls, destination.login is not None


async def with_shown_pin(
    context: AdminContext, destination: Destination, fields: Pinnable
) -> Pinnable:
    """Return the fields with the key that the destination shows now, if requested.

    `destination` is the recorded one, or that of a new domain. Raises AdminError.
    """
    if not fields.pin_now:
        return fields
    if not destination.is_reachable:
        error = "--pin-now: the domain has no destination that could show a key"
        raise AdminError(ErrorKind.USAGE, error, "name a destination, or leave it out")
    if context.principal.role is Role.ACCOUNT and isinstance(fields, DomainChange):
        if fields.destination is not None:
            error = "--pin-now cannot be combined with a new destination"
            raise AdminError(ErrorKind.USAGE, error, "change the destination first, then pin")
        thing = f"destination {destination.text}"
        allow_dial(context, DialPurpose.KEY, thing, destination.host)
    if fields.tls not in (None, TlsUse.VERIFY) or fields.tls_pins or fields.tls_ca:
        error = "--pin-now: it pins the key that is shown, and verifies it from then on"
        raise AdminError(
            ErrorKind.USAGE, error, "leave --tls-pin, --tls-ca and any other --tls away"
        )
    try:
        key = await shown_key(
            destination,
            context.network.resolver,
            context.network.hostname,
            context.network.own_addresses,
        )
    except NoKey as error:
        remedy = "try again when it answers with STARTTLS, or give its key by --tls-pin"
        raise AdminError(
            ErrorKind.TRY_LATER, f"destination {destination.text}: shows no key: {error}", remedy
        ) from None
    return fields.model_copy(update={"tls": TlsUse.VERIFY, "tls_pins": (key,), "tls_ca": ""})


def allow_dial(context: AdminContext, purpose: DialPurpose, thing: str, target: str) -> None:
    """Count a connection that an account causes. Raises AdminError beyond the limits.

    `thing` is for the error. `target` is as for `dial_wait`.
    """
    wait = dial_wait(context, purpose, target)
    if wait is not None:
        raise AdminError(
            ErrorKind.TRY_LATER,
            f"{thing}: {wait.cause}",
            f"try again in {counted(math.ceil(wait.seconds), 'second')}",
            seconds=wait.seconds,
        )


def dial_wait(context: AdminContext, purpose: DialPurpose, target: str) -> DialWait | None:
    """Count a connection that an account causes, or return why it must wait.

    `target` is a host without its port, or a mail address, and no name that the account gave.
    """
    if context.principal.role is not Role.ACCOUNT:
        return None
    memory = context.memory
    return memory.dial_limits.allow(context.principal.account, purpose, target, memory.monotonic())


def reaches(address: IpAddress, port: int, own: tuple[str, int]) -> bool:
    """Return whether a connection to an address and port would arrive at our own listener."""
    bound = peer_address(own[0])
    if port != own[1]:
        return False
    return plain_address(address) == bound or (bound.is_unspecified and is_local(address))


def is_local(address: IpAddress) -> bool:
    """Return whether an address is this machine's. Asks the system's routes; sends nothing."""
    plain = plain_address(address)
    if plain.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect((str(address), _DISCARD_PORT))
        except OSError:
            return False  # no route: not this machine
        return peer_address(probe.getsockname()[0]) == plain


async def _addresses(resolver: Resolver, host: str) -> Sequence[IpAddress]:
    literal = _literal(host)
    if literal:
        return (literal,)
    resolver.forget(host)  # the record was changed, most likely because DNS was
    return await resolver.addresses(host)


def _literal(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _with_zone(address: IpAddress, zone: str) -> str:
    """Return a link-local address with its zone (RFC 4007 §11). Raises AdminError."""
    is_ipv6 = isinstance(address, ipaddress.IPv6Address)
    if not address.is_link_local or not is_ipv6 or not _ZONE.fullmatch(zone):
        error = (
            f"destination {address}%{zone}: a zone belongs to a link-local IPv6 address and names"
            " an interface"
        )
        raise AdminError(
            ErrorKind.INVALID,
            error,
            "write the address without %, or one such as [fe80::1%eth0]:25",
        )
    return f"{address}%{zone}"


def _checked_address(address: IpAddress) -> str:
    plain = peer_address(str(address))
    if (
        plain.is_unspecified
        or plain.is_multicast
        or plain == ipaddress.IPv4Address("255.255.255.255")
    ):
        raise AdminError(
            ErrorKind.INVALID,
            f"destination {plain}: is not the address of one host",
            "write the host's own",
        )
    return str(plain)


def _loop(host: str, port: int, cause: str) -> AdminError:
    remedy = "name the primary server: mail for a held domain must not come back here"
    return AdminError(ErrorKind.INVALID, f"destination {host}:{port}: {cause}", remedy)
