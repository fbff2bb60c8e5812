"""One path for every administrative command: a request to the API.

When a server answers on the control socket, the request goes there; else the same API is built in this process over the
store, opened for this one command. So no rule exists twice, and what a command does never depends on the way.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from restante.cli.failures import BY_KIND, Exit, Failure

if TYPE_CHECKING:
    import httpx

    from restante.config.schema import Config

ANSWER_SECONDS = 120.0  # looking up a destination or waiting for the disk may take long; only a backup takes longer
_BASE_URL = "http://restante"


def ask(
    config_file: Path | None,
    method: str,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    seconds: float = ANSWER_SECONDS,
) -> Any:
    """Send one request and return the JSON of its answer. Raises Failure with what the API said against it."""
    return asyncio.run(_ask(read_config(config_file), method, path, params, body, seconds=seconds))


def segment(text: str) -> str:
    """Return a name as one segment of a path."""
    return quote(text, safe="")


def read_config(config_file: Path | None) -> "Config":
    """Return the configuration. Raises Failure with everything that is wrong with it."""
    from restante.config.load import load  # noqa: PLC0415  heavy
    from restante.config.problems import ConfigError  # noqa: PLC0415

    try:
        return load(config_file)
    except ConfigError as error:
        raise Failure(Exit.CONFIGURATION, *map(str, error.problems)) from None


async def _ask(
    config: "Config",
    method: str,
    path: str,
    params: Mapping[str, Any] | None,
    body: Mapping[str, Any] | None,
    *,
    seconds: float,
) -> Any:
    import httpx  # noqa: PLC0415  heavy

    given = None if params is None else {key: value for key, value in params.items() if value is not None}
    async with _transport(config) as transport:
        client = httpx.AsyncClient(transport=transport, base_url=_BASE_URL, timeout=seconds, trust_env=False)
        async with client:
            try:
                return _content(await client.request(method, path, params=given, json=body))
            except httpx.TransportError as error:
                cause = f"the server went away: {type(error).__name__}"
                raise Failure(Exit.TRY_LATER, f"{config.control_socket}: {cause}; look at its log") from None


@asynccontextmanager
async def _transport(config: "Config") -> AsyncIterator["httpx.AsyncBaseTransport"]:
    import httpx  # noqa: PLC0415

    if _server_answers(config.control_socket):
        yield httpx.AsyncHTTPTransport(uds=str(config.control_socket))
        return
    from restante.cli.local_office import open_office  # noqa: PLC0415
    from restante.web.api.application import build_api  # noqa: PLC0415

    async with open_office(config) as office:
        yield httpx.ASGITransport(build_api(office))


def _server_answers(path: Path) -> bool:
    from restante.web.control_socket import answers  # noqa: PLC0415

    try:
        return answers(path)
    except PermissionError:
        raise Failure(Exit.NOT_ALLOWED, f"{path}: not allowed; run as root or as the server's user") from None


def _content(answer: "httpx.Response") -> Any:
    if answer.status_code == HTTPStatus.NO_CONTENT:
        return None
    content = answer.json()
    if answer.is_success:
        return content
    raise Failure(BY_KIND.get(content["kind"], Exit.UNAVAILABLE), f"{content['error']}; {content['remedy']}")
