"""Many open connections without traffic: idle after EHLO, or in the middle of a message's content.

    python -m bench.load.crowd '{"port": …, "connections": …, …}'         (the fields of Crowd)

It is a process of its own, with plain blocking sockets, because they cost little. It prints
`ready` when all connections are open, and closes them when its standard input ends.
"""

import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from bench.content import content
from bench.domains import HOST, SENDER, domain, mailbox

THREADS: Final = 8
TIMEOUT: Final = 120.0
BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Crowd:
    """The number of connections, and their state."""

    port: int
    connections: int
    has_tls: bool = False  # by STARTTLS
    size: int = 0  # of the message that each begins; 0: none
    sent: int = 0  # octets of it that go out


def stand(crowd: Crowd) -> list[socket.socket]:
    """Connect them all and bring each to where it stands."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ThreadPoolExecutor(_threads(crowd)) as threads:
        return list(threads.map(lambda _: _connect(crowd, context), range(crowd.connections)))


def _threads(crowd: Crowd) -> int:
    return crowd.connections if crowd.sent else THREADS  # all of them send at the same time


def _connect(crowd: Crowd, context: ssl.SSLContext) -> socket.socket:
    connection = socket.create_connection((HOST, crowd.port), TIMEOUT)
    _hear(connection)
    _say(connection, b"EHLO sender.example\r\n")
    if crowd.has_tls:
        _say(connection, b"STARTTLS\r\n")
        connection = context.wrap_socket(connection)
        _say(connection, b"EHLO sender.example\r\n")
    if crowd.sent:
        _begin_message(connection, crowd)
    return connection


def _begin_message(connection: socket.socket, crowd: Crowd) -> None:
    _say(connection, b"MAIL FROM:<%s> SIZE=%d\r\n" % (SENDER.encode(), crowd.size))
    _say(connection, b"RCPT TO:<%s>\r\n" % mailbox(domain()).encode())
    _say(connection, b"DATA\r\n")
    block = content(BLOCK)
    for _ in range(crowd.sent // BLOCK):
        connection.sendall(block)


def _say(connection: socket.socket, command: bytes) -> None:
    connection.sendall(command)
    _hear(connection)


def _hear(connection: socket.socket) -> None:
    """Read one reply, which must be no refusal."""
    said = b""
    while not said.endswith(b"\n") or said.splitlines()[-1][3:4] == b"-":
        block = connection.recv(4096)
        if not block:
            raise ConnectionError(f"the server has closed the connection after {said!r}")
        said += block
    if said[:1] not in b"23":
        raise ConnectionError(said.decode(errors="replace"))


def main() -> None:
    """Stand there until nobody wants it any more."""
    there = stand(Crowd(**json.loads(sys.argv[1])))
    print("ready", flush=True)
    sys.stdin.read()
    for connection in there:
        connection.close()


if __name__ == "__main__":
    main()
