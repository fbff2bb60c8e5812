"""Names of records for the completion of a command line, from the running server.

A person waits for them at the tab key, at most a fifth of a second. Python needs half of that to
start. So the server has the other half, and no store is opened.
"""

import contextlib
import http.client
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol

from restante.cli.socket_request import SocketConnection, request_target
from restante.config.control_path import likely_control_socket, recorded_control_socket

ANSWER_SECONDS: Final = 0.1
_MOST: Final = 100  # names: nobody reads more of them
_USER_AGENT: Final = "restante-completion"
_LAST_OF_ASCII: Final = "~"


class NameKind(Enum):
    """A kind of record, and the path of its listing in the API."""

    ACCOUNT = "/v1/accounts"
    DOMAIN = "/v1/domains"
    MESSAGE = "/v1/queue/selection"


class RecordNaming(Protocol):
    """Look up names that begin with some letters."""

    def __call__(
        self, kind: NameKind, beginning: str, *, config: Path | None, socket: Path | None
    ) -> Sequence[str]:
        """Return the first of them; none if no server answers soon."""
        ...


def served_names(
    kind: NameKind, beginning: str, *, config: Path | None, socket: Path | None
) -> Sequence[str]:
    """Return names of records from the running server; none if it does not answer soon.

    They are the first that may begin with `beginning`. The caller has to choose among them.
    """
    params: Mapping[str, Any] = {"limit": _MOST}
    if kind is not NameKind.MESSAGE and beginning:
        params = {**params, "after": name_before(beginning)}
    for place in _places(config, socket):
        connection = SocketConnection(place, ANSWER_SECONDS, _USER_AGENT)
        with contextlib.closing(connection):
            try:
                answer = connection.ask("GET", request_target(kind.value, params), None)
            except (OSError, http.client.HTTPException):
                continue
            return _names(answer.octets) if answer.status == http.client.OK else []
    return []


def _places(config: Path | None, socket: Path | None) -> Iterator[Path]:
    """Yield where a server may answer, as `api_client` looks for it."""
    if socket is not None:
        yield socket
        return
    for find in (likely_control_socket, recorded_control_socket):
        if (place := find(config, os.environ)) is not None:
            yield place


def _names(octets: bytes) -> Sequence[str]:
    found = json.loads(octets)
    return found["names"] if isinstance(found, dict) else [one["name"] for one in found]


def name_before(beginning: str) -> str:
    """Return a text that sorts before all names with this beginning, and behind most others."""
    return f"{beginning[:-1]}{chr(ord(beginning[-1]) - 1)}{_LAST_OF_ASCII}"
