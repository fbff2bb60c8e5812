"""Report our state to the service manager (sd_notify(3)).

A report is a datagram on the socket that the manager named. Without a socket nothing is sent. A
worker reports to its supervisor instead, as the manager listens to one process only.
"""

import contextlib
import os
import socket
from typing import Final

SIGN_OF_LIFE: Final = "WATCHDOG=1"
SIGN_SECONDS: Final = 10.0  # between two signs; the manager waits for at least four

_VARIABLE = "NOTIFY_SOCKET"
_supervisor: list[socket.socket] = []  # at most one


def report_to(supervisor: socket.socket) -> None:
    """Send all reports of this process there, and none to the service manager."""
    os.environ.pop(_VARIABLE, None)
    _supervisor[:] = [supervisor]


def notify(state: str) -> None:
    """Send `READY=1`, `RELOADING=1`, `STOPPING=1` and the like.

    A manager that cannot be reached is no reason to stop.
    """
    if _supervisor:
        with contextlib.suppress(OSError):
            _supervisor[0].send(state.encode())
        return
    address = os.environ.get(_VARIABLE, "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        try:
            manager.connect(address)
            manager.send(state.encode())
        except OSError:
            return


async def give_sign_of_life() -> float:
    """Tell that the event loop turns. Return the seconds until the next sign."""
    notify(SIGN_OF_LIFE)
    return SIGN_SECONDS
