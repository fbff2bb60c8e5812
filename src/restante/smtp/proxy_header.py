"""The header of the PROXY protocol, version 2: the first octets of a connection, sent once.

Reference: the protocol's specification, §2.2 (HAProxy). The receiver takes the client's address and
port from it. Such a port takes no connection without the header, so our own visits say LOCAL: the
receiver then sees this server's address.

    0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A   signature: no text protocol takes it for a command
    21                                    version 2, PROXY; 20 for LOCAL
    11 or 21                              TCP over IPv4 or IPv6; 00 for LOCAL
    00 0C or 00 24                        octets that follow; 0 for LOCAL
    source and destination address, source and destination port
"""

import ipaddress
import struct
from typing import Final

from restante.smtp.passed_client import ClientIp, PassedClient

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_PROXY: Final = b"\x21"
_TCP_4: Final = b"\x11"
_TCP_6: Final = b"\x21"
LOCAL_HEADER: Final = SIGNATURE + b"\x20\x00\x00\x00"


def proxy_header(client: PassedClient | None, destination: ClientIp, port: int) -> bytes:
    """Return the header for a connection to an address and port; LOCAL without a client.

    Both addresses are of the client's family, whose address alone matters. Where the connection is
    of the other family, the destination is told as unspecified.
    """
    if client is None:
        return LOCAL_HEADER
    source = client.address
    is_4 = source.version == 4  # noqa: PLR2004
    if destination.version != source.version:
        destination = ipaddress.IPv4Address(0) if is_4 else ipaddress.IPv6Address(0)
    addresses = source.packed + destination.packed + struct.pack("!HH", client.port, port)
    kind = _TCP_4 if is_4 else _TCP_6
    return SIGNATURE + _PROXY + kind + struct.pack("!H", len(addresses)) + addresses
