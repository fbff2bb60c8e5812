"""The request to a canned HTTP server, read whole: clients send head and body apart."""

import re
import socket
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def read_request(connection: socket.socket) -> bytes:
    """Return the next request with its body, or a part of it if the client leaves early."""
    request = b""
    while not _is_whole(request) and (more := connection.recv(65_536)):
        request += more
    return request


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
