"""Report our state to the service manager (sd_notify(3)).

A report is a datagram on the socket that the manager named. Without a socket nothing is sent.
"""

import os
import socket


def notify(state: str) -> None:
    """Send `READY=1`, `RELOADING=1`, `STOPPING=1` and the like.

    A manager that cannot be reached is no reason to stop.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
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
