"""Names of servers as people write them: HOST, HOST:PORT, [ADDRESS]:PORT."""

from __future__ import annotations

import ipaddress
from typing import Tuple  # Python 3.8 has no tuple[…] at run time

from restante_client.client_failure import ClientExit, ClientFailure

HostPort = Tuple[str, int]
_LAST_PORT = 65535


def read_endpoint(text: str, default_port: int) -> HostPort:
    """Return host and port. Raises ClientFailure."""
    host, port = _split(text.strip())
    if not host or any(letter.isspace() for letter in host):
        raise _malformed(text, "has no host name")
    if not _can_be_asked_for(host):
        raise _malformed(text, "has no name of a host that can be looked up")
    if not port:
        return host, default_port
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
        raise _malformed(text, f"has the port {port!r}, which is not a number from 1 to 65535")
    return host, int(port)


def _can_be_asked_for(host: str) -> bool:
    try:
        return bool(host.encode("idna")) and not host.startswith(".")
    except UnicodeError:
        return False


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest[1:] if rest.startswith(":") else rest
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        host, _, port = text.partition(":")
        return host, port
    return text, ""


def _malformed(text: str, cause: str) -> ClientFailure:
    return ClientFailure(ClientExit.USAGE, f"{text or repr('')}: {cause}; write HOST or HOST:PORT")
