"""Send the requests of every administrative command to the API.

If a server answers on the control socket, the request goes there. Otherwise this process opens the
store for this one command and serves the same API itself. So each rule exists once, and a command
does the same either way.

A running server is found by its socket alone. --socket, RESTANTE_CONTROL_SOCKET or the
configuration file names the socket. Other settings of the file are not read, so mistakes in it do
not matter. If no server answers there, the record of a running server is looked for. The file may
have been edited to name another socket or store since that server started.
"""

import contextlib
import http.client
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from restante.cli.failures import BY_KIND, Exit, Failure, warn
from restante.cli.progress import late
from restante.cli.socket_request import SocketConnection, request_target
from restante.config.config_problem import ConfigError
from restante.config.control_path import (
    VARIABLE,
    likely_control_socket,
    recorded_control_socket,
)
from restante.phrases import NO_SERVER, START_SERVER

if TYPE_CHECKING:
    import httpx

    from restante.config.schema import Config

# Looking up a destination or waiting for the disk can take long. Only a backup takes longer.
ANSWER_SECONDS = 120.0
# The status comes from memory. A server that does not send it soon is frozen, or its disk hangs.
STATUS_SECONDS = 5.0
PAGE = 500  # items: the most of one answer
_BASE_URL = "http://restante"
_USER_AGENT = "restante-cli"  # so that remedies name commands and options (remedy_words.py)
_OWN_CONNECTIONS = 16  # from this process to itself
GIVEN_SOCKET: ContextVar[Path | None] = ContextVar("GIVEN_SOCKET", default=None)  # by --socket

Params = Mapping[str, Any] | None


class ApiClient:
    """A connection to the API. Every method raises Failure with the error of the API."""

    def __init__(self, client: "httpx.AsyncClient", place: str, seconds: float) -> None:
        """`seconds` is the longest silence that `client` allows the server."""
        self._client = client
        self._place = place
        self._seconds = seconds

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Params = None,
        body: Mapping[str, Any] | None = None,
        most: int | None = None,
    ) -> Any:
        """Send one request and return the JSON of its answer.

        Of a list: the first `most` items, from as many pages as these take; None: all items.
        """
        if most is not None:
            params = {**(params or {}), "limit": min(most, PAGE)}
        with self._failing():
            answer = await self._client.request(method, path, params=_given(params), json=body)
            content = _content(answer.status_code, answer.content)
            while (following := answer.links.get("next")) is not None and (
                most is None or len(content) < most
            ):
                answer = await self._client.get(following["url"])
                content += _content(answer.status_code, answer.content)
            return content if most is None else content[:most]

    async def send(self, path: str, octets: AsyncIterator[bytes], *, params: Params = None) -> Any:
        """Send a body as a stream and return the JSON of the answer."""
        with self._failing():
            answer = await self._client.post(path, params=_given(params), content=octets)
            return _content(answer.status_code, answer.content)

    async def receive(
        self,
        method: str,
        path: str,
        *,
        params: Params = None,
        body: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[bytes]:
        """Send one request and yield the octets of its answer as they arrive.

        Raises Failure also if the answer ends early.
        """
        with self._failing():
            async with self._client.stream(
                method, path, params=_given(params), json=body
            ) as answer:
                if not answer.is_success:
                    _content(answer.status_code, await answer.aread())
                async for block in answer.aiter_bytes():
                    yield block

    async def exchange(
        self, path: str, octets: AsyncIterator[bytes], *, params: Params = None
    ) -> AsyncIterator[Any]:
        """Send a body as a stream, and yield the JSON of each line of the answer as it arrives.

        Raises Failure also if the answer ends early.
        """
        with self._failing():
            async with self._client.stream(
                "POST", path, params=_given(params), content=octets
            ) as answer:
                async for line in _lines(answer):
                    yield json.loads(line)

    async def lines(
        self, path: str, *, params: Params = None, body: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Any]:
        """Get a listing, and yield the JSON of each of its lines as it arrives. Raises Failure.

        With a body, it is sent by POST.
        """
        method = "GET" if body is None else "POST"
        with self._failing():
            async with self._client.stream(
                method, path, params=_given(params), json=body
            ) as answer:
                async for line in _lines(answer):
                    yield json.loads(line)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        import httpx  # noqa: PLC0415  heavy

        try:
            yield
        except httpx.TimeoutException:
            raise _not_answered(self._place, self._seconds) from None
        except httpx.TransportError:
            raise _lost(self._place) from None


def ask(
    config_file: Path | None,
    method: str,
    path: str,
    *,
    params: Params = None,
    body: Mapping[str, Any] | None = None,
    seconds: float = ANSWER_SECONDS,
    most: int | None = None,
    needs_server: str = "",
) -> Any:
    """Send one request and return the JSON of its answer, as `ApiClient.ask` does.

    `needs_server` names a command that works only with a running server. Raises Failure with the
    API's error.
    """
    located = _locate(config_file)
    with late("waiting for the answer"):
        return _answer(
            located, method, path, params, body, seconds=seconds, most=most, command=needs_server
        )


def _answer(
    located: "_Located",
    method: str,
    path: str,
    params: Params,
    body: Mapping[str, Any] | None,
    *,
    seconds: float,
    most: int | None,
    command: str,
) -> Any:
    if located.config is None:
        return _ask_server(located.place, method, path, params, body, seconds=seconds, most=most)

    async def once() -> Any:
        async with _connected(located, seconds=seconds, needs_server=command) as api:
            return await api.ask(method, path, params=params, body=body, most=most)

    import asyncio  # noqa: PLC0415  heavy

    return asyncio.run(once())


def _ask_server(
    place: Path,
    method: str,
    path: str,
    params: Params,
    body: Mapping[str, Any] | None,
    *,
    seconds: float,
    most: int | None,
) -> Any:
    """Do what `ApiClient.ask` does, without an event loop."""
    chosen = _given(params) or {}
    if most is not None:
        chosen["limit"] = min(most, PAGE)
    connection = SocketConnection(place, seconds, _USER_AGENT)
    with contextlib.closing(connection), _failing(str(place), seconds):
        answer = connection.ask(method, request_target(path, chosen), body)
        content = _content(answer.status, answer.octets)
        while answer.following is not None and (most is None or len(content) < most):
            answer = connection.ask("GET", answer.following, None)
            content += _content(answer.status, answer.octets)
        return content if most is None else content[:most]


@contextlib.contextmanager
def _failing(place: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise _not_answered(place, seconds) from None
    except (OSError, http.client.HTTPException):
        raise _lost(place) from None


def _not_answered(place: str, seconds: float) -> Failure:
    cause = f"the server did not answer within {seconds:.0f} s"
    remedy = "it may be stopped, or its disk may hang: look at its log, and try again"
    return Failure(Exit.TRY_LATER, f"{place}: {cause}; {remedy}")


def _lost(place: str) -> Failure:
    cause = "the connection to the server was lost; look at its log"
    return Failure(Exit.TRY_LATER, f"{place}: {cause}")


@asynccontextmanager
async def connected(
    config_file: Path | None,
    *,
    seconds: float = ANSWER_SECONDS,
    is_streaming: bool = False,
    needs_server: str = "",
) -> AsyncIterator[ApiClient]:
    """Connect to the API for several requests. Raises Failure.

    Set `is_streaming` for answers that may not fit in memory. `needs_server` names a command that
    works only with a running server.
    """
    located = _locate(config_file)
    async with _connected(
        located, seconds=seconds, is_streaming=is_streaming, needs_server=needs_server
    ) as api:
        yield api


@asynccontextmanager
async def connected_at(place: Path, *, seconds: float) -> AsyncIterator[ApiClient]:
    """Connect to the API of one process at its control socket. Raises Failure."""
    if not _server_answers(place):
        raise Failure(Exit.UNAVAILABLE, f"{place}: {NO_SERVER} there; {START_SERVER}")
    async with _connected(_Located(place, None), seconds=seconds, needs_server="") as api:
        yield api


@asynccontextmanager
async def _connected(
    located: "_Located", *, seconds: float, is_streaming: bool = False, needs_server: str
) -> AsyncIterator[ApiClient]:
    import httpx  # noqa: PLC0415  heavy

    async with _transport(
        located, is_streaming=is_streaming, needs_server=needs_server
    ) as transport:
        client = httpx.AsyncClient(
            transport=transport,
            base_url=_BASE_URL,
            timeout=seconds,
            trust_env=False,
            headers={"User-Agent": _USER_AGENT},
        )
        async with client:
            yield ApiClient(client, str(located.place), seconds)


class _Located(NamedTuple):
    """The control socket, and the configuration if no server answers there."""

    place: Path
    config: "Config | None"


def _locate(config_file: Path | None) -> _Located:
    """Find a running server. Raises Failure."""
    if (named := GIVEN_SOCKET.get()) is not None:
        if not _server_answers(named):
            remedy = f"{START_SERVER}, or leave out --socket"
            raise Failure(Exit.UNAVAILABLE, f"{named}: {NO_SERVER} there; {remedy}")
        return _Located(named, None)
    try:
        likely = likely_control_socket(config_file, os.environ)
    except ConfigError as error:  # of a file that another user has put here
        raise Failure(Exit.CONFIGURATION, *map(str, error.problems)) from None
    if likely is not None and _server_answers(likely):
        return _Located(likely, None)
    recorded = recorded_control_socket(config_file, os.environ)
    if recorded is not None and _server_answers(recorded):
        _tell_moved(likely, recorded)
        return _Located(recorded, None)
    if recorded is not None and not recorded.exists():
        raise Failure(Exit.UNAVAILABLE, _unreachable(recorded))
    try:
        config = read_config(config_file)
    except Failure as failure:
        if not os.environ.get(VARIABLE):
            raise
        absent = f"{likely}: {NO_SERVER} there; {START_SERVER}, or unset {VARIABLE}"
        raise Failure(failure.code, absent, *failure.texts) from None
    place = config.control_socket
    return _Located(place, None if _server_answers(place) else config)


def _unreachable(recorded: Path) -> str:
    """Describe a live server whose socket is not where it was made."""
    cause = "a server runs, but its control socket was removed or renamed, alone or with the store"
    remedy = "put it back, or name its new place with --socket"
    return f"{recorded}: {cause}; {remedy}"


def _tell_moved(named: Path | None, recorded: Path) -> None:
    cause = f"{named}: {NO_SERVER} there" if named else "the configuration file names no socket"
    remedy = "restart the server, or undo the change of `control_socket` or `store`"
    warn([f"{cause}, but the file's server still answers on {recorded}; {remedy}"])


def segment(text: str) -> str:
    """Return a name as one segment of a URL path. Raises Failure for one that would be none.

    Clients and servers resolve "." and "..", and an encoded "/" is decoded before the path is
    routed, so such a name would lead to another record.
    """
    if text in ("", ".", "..") or "/" in text:
        raise Failure(Exit.NO_INPUT, f"{text!r}: nothing has this name; write it as lists show it")
    return quote(text, safe="")


def read_config(config_file: Path | None) -> "Config":
    """Return the configuration. Raises Failure with every error in it."""
    from restante.config.load import load  # noqa: PLC0415  heavy

    try:
        return load(config_file)
    except ConfigError as error:
        raise Failure(Exit.CONFIGURATION, *map(str, error.problems)) from None


@asynccontextmanager
async def _transport(
    located: _Located, *, is_streaming: bool, needs_server: str
) -> AsyncIterator["httpx.AsyncBaseTransport"]:
    import httpx  # noqa: PLC0415

    if located.config is None:
        yield httpx.AsyncHTTPTransport(uds=str(located.place))
        return
    if needs_server:
        raise Failure(Exit.UNAVAILABLE, f"{needs_server}: {NO_SERVER}; {START_SERVER}")
    from restante.cli.offline_admin import open_offline_admin  # noqa: PLC0415
    from restante.web.api.api_application import build_api  # noqa: PLC0415

    async with open_offline_admin(located.config) as context:
        api = build_api(context, context.principal)
        if is_streaming:
            async with _served(api) as path:
                yield httpx.AsyncHTTPTransport(uds=path)
        else:
            yield httpx.ASGITransport(api)


@asynccontextmanager
async def _served(api: Any) -> AsyncIterator[str]:
    """Serve the API to this process on a temporary socket.

    Without a socket httpx keeps a whole answer in memory.
    """
    import asyncio  # noqa: PLC0415  heavy

    from restante.web.http_connections import HttpConnections, HttpService  # noqa: PLC0415
    from restante.web.serving import HttpLimits, serve_http  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="restante-") as directory:  # of mode 0700
        path = f"{directory}/socket"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen()
        listener.setblocking(False)
        serving = asyncio.create_task(
            serve_http(
                api, listener, HttpLimits(HttpConnections(HttpService.CONTROL, _OWN_CONNECTIONS))
            )
        )
        try:
            yield path
        finally:
            serving.cancel()
            await asyncio.wait([serving])


def _server_answers(path: Path) -> bool:
    from restante.web.control_socket import answers  # noqa: PLC0415

    try:
        return answers(path)
    except PermissionError:
        raise Failure(
            Exit.NOT_ALLOWED, f"{path}: not allowed; run as root or as the server's user"
        ) from None


async def _lines(answer: "httpx.Response") -> AsyncIterator[bytes]:
    """Yield the lines of an answer; an error of the API raises Failure."""
    if not answer.is_success:
        _content(answer.status_code, await answer.aread())
    rest = b""
    async for block in answer.aiter_bytes():
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line


def _given(params: Params) -> dict[str, Any] | None:
    return (
        None
        if params is None
        else {key: value for key, value in params.items() if value is not None}
    )


def _content(status: int, octets: bytes) -> Any:
    """Return the JSON of an answer. Raises Failure if it is an error of the API."""
    if status == HTTPStatus.NO_CONTENT:
        return None
    content = json.loads(octets)
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return content
    texts = content.get("problems") or [f"{content['detail']}; {content['remedy']}"]
    raise Failure(BY_KIND.get(content["kind"], Exit.UNAVAILABLE), *texts, problem=content)
