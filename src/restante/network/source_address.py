"""The address from which this machine would connect to another one."""

import socket
from contextlib import closing
from typing import Final

from restante.network.addresses import peer_address
from restante.tenancy.model import IpAddress

_DISCARD_PORT: Final = 9


def source_address(target: IpAddress) -> IpAddress | None:
    """Return our address on the way to another one; None without a way. Sends nothing."""
    family = socket.AF_INET if target.version == 4 else socket.AF_INET6  # noqa: PLR2004
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((str(target), _DISCARD_PORT))
            return peer_address(probe.getsockname()[0])
    except OSError:
        return None
