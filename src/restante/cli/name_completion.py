"""Names of records for the completion of a command line, from the running server.

A person waits for them at the tab key, at most a fifth of a second. Python needs half of that to
start. So the server has the other half, and no store is opened.
"""

import contextlib
import http.client
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol
from urllib.parse import quote

from restante.cli.socket_request import SocketConnection, request_target
from restante.config.control_path import likely_control_socket, recorded_control_socket
from restante.mail.message import message_name, message_number

ANSWER_SECONDS: Final = 0.1
_MOST: Final = 100  # names: nobody reads more of them
_USER_AGENT: Final = "restante-completion"
_LAST_OF_ASCII: Final = "~"


class NameKind(Enum):
    """A kind of record, and the path of its listing in the API."""

    ACCOUNT = "/v1/accounts"
    DOMAIN = "/v1/domains"
    MESSAGE = "/v1/queue/selection"
    LOGIN = "/v1/accounts/{}/logins"
    TOKEN = "/v1/tokens"  # noqa: S105  a path
    CHANNEL = "/v1/notices/channels"
    NODE = "/v1/nodes"
    PORTAL_USER = "/v1/users"


_FIELDS: Final = {NameKind.LOGIN: "user", NameKind.TOKEN: "id", NameKind.PORTAL_USER: "email"}
# Listings that can begin in between.
_SORTED: Final = (NameKind.ACCOUNT, NameKind.DOMAIN, NameKind.LOGIN, NameKind.PORTAL_USER)
_LENGTHS: Final = (11, 12)  # of the names of messages, on SQLite and PostgreSQL


class RecordNaming(Protocol):
    """Look up names that begin with some letters."""

    def __call__(
        self,
        kind: NameKind,
        beginning: str,
        *,
        account: str = "",
        config: Path | None,
        socket: Path | None,
    ) -> Sequence[str]:
        """Return the first of them, of an account if one is named.

        There are none if no server answers soon.
        """
        ...


def served_names(
    kind: NameKind,
    beginning: str,
    *,
    account: str = "",
    config: Path | None,
    socket: Path | None,
) -> Sequence[str]:
    """Return names of records from the running server; none if it does not answer soon.

    They are the first that may begin with `beginning`. The caller has to choose among them.
    """
    path = kind.value.format(quote(account, safe=""))
    params: Mapping[str, Any] = {"limit": _MOST}
    if kind is NameKind.CHANNEL and account:
        params = {**params, "account": account}
    for after in _starts(kind, beginning):
        page = {**params, "after": after} if after else params
        found = _asked(kind, request_target(path, page), config, socket)
        if not found or any(name.startswith(beginning) for name in found):
            return found
    return []


def _starts(kind: NameKind, beginning: str) -> Iterator[str]:
    """Yield names behind which those with this beginning come; "" is the start of a listing."""
    if not beginning or kind not in (*_SORTED, NameKind.MESSAGE):
        yield ""
    elif kind is NameKind.MESSAGE:
        yield from messages_before(beginning)
    else:
        yield name_before(beginning)


def _asked(kind: NameKind, target: str, config: Path | None, socket: Path | None) -> Sequence[str]:
    """Ask the first server that answers."""
    for place in _places(config, socket):
        connection = SocketConnection(place, ANSWER_SECONDS, _USER_AGENT)
        with contextlib.closing(connection):
            try:
                with _at_most(ANSWER_SECONDS):
                    answer = connection.ask("GET", target, None)
            except (OSError, http.client.HTTPException):
                continue
            return _names(kind, answer.octets) if answer.status == http.client.OK else []
    return []


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after this time, also where an answer comes bit by bit without end."""

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    former = signal.signal(signal.SIGALRM, expire)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, former)


def _places(config: Path | None, socket: Path | None) -> Iterator[Path]:
    """Yield where a server may answer, as `api_client` looks for it."""
    if socket is not None:
        yield socket
        return
    for find in (likely_control_socket, recorded_control_socket):
        if (place := find(config, os.environ)) is not None:
            yield place


def _names(kind: NameKind, octets: bytes) -> Sequence[str]:
    found = json.loads(octets)
    if isinstance(found, dict):
        return list(found["names"])
    return [one[_FIELDS.get(kind, "name")] for one in found]


def messages_before(beginning: str) -> Iterator[str]:
    """Yield the names before the first message with this beginning, for each length of names."""
    for length in _LENGTHS:
        try:
            first = message_number(beginning.ljust(length, "0"))
        except ValueError:  # no name of a message begins so
            return
        if len(beginning) <= length:
            yield message_name(max(0, first - 1))


def name_before(beginning: str) -> str:
    """Return a text that sorts before all names with this beginning, and behind most others."""
    return f"{beginning[:-1]}{chr(ord(beginning[-1]) - 1)}{_LAST_OF_ASCII}"
