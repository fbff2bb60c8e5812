"""One request to the control socket of a running server, without an event loop.

Most commands send one request and print its answer. `http.client` does that in 3 ms; httpx needs
60 ms to be loaded. It serves the commands that stream.
"""

import http.client
import json
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

_NEXT: Final = re.compile(r'<([^>]*)>; rel="next"')


class SocketAnswer(NamedTuple):
    """The answer to a request."""

    status: int
    octets: bytes
    following: str | None  # target of the next page


class SocketConnection(http.client.HTTPConnection):
    """A connection to a server on a Unix socket. Raises OSError and http.client.HTTPException."""

    def __init__(self, place: Path, seconds: float, user_agent: str) -> None:
        """`seconds` is the longest silence of the server."""
        super().__init__("restante", timeout=seconds)
        self._place = place
        self._user_agent = user_agent
        self.sock: socket.socket | None = None  # as in the base class, until it connects

    def connect(self) -> None:
        """Connect to the socket, as the base class does to a port."""
        opened = self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(self.timeout)
        opened.connect(str(self._place))

    def ask(self, method: str, target: str, body: Mapping[str, Any] | None) -> SocketAnswer:
        """Send one request, and return the whole answer."""
        headers = {"User-Agent": self._user_agent, "Accept": "*/*"}
        octets = None
        if body is not None:
            octets = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            headers["Content-Type"] = "application/json"
        with suppress(ConnectionError):  # the server may refuse a body before its end
            self.request(method, target, octets, headers)
        answer = self.getresponse()
        links = _NEXT.search(answer.getheader("Link") or "")
        return SocketAnswer(answer.status, answer.read(), _target(links[1]) if links else None)


def request_target(path: str, params: Mapping[str, Any]) -> str:
    """Return the target of a request; a list of values is repeated, as the API expects it."""
    pairs = [
        (name, _text(value))
        for name, values in params.items()
        for value in (values if isinstance(values, list | tuple) else [values])
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _target(url: str) -> str:
    """Return the target of a URL, which names a host or does not."""
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path, parts.query, ""))
