"""Messages to a filter over HTTP, by connections that are kept.

The place of the filter is part of the configuration, so any address will do. The host's name is
looked up like a destination's, not in threads. Content is passed on in pieces as it is read, and
the octets of an answer are limited. The caller limits the time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from restante.network.late_module import LateModule
from restante.network.outgoing_http import http_cause
from restante.network.resolver import LookupFailed, Resolver
from restante.network.tls_context import verifying_client_context
from restante.phrases import cause_of

if TYPE_CHECKING:
    import httpx
else:
    httpx = LateModule("httpx")

ANSWER_LIMIT: Final = 1 << 20  # octets
PASSWORD_LIMIT: Final = 1000
MOST_ADDRESSES: Final = 4  # of its host that are tried
KEPT_CONNECTIONS: Final = 20
KEPT_SECONDS: Final = 10.0
_REFUSED: Final = 400  # from this status on, up to _FAILED, a request may be at fault
_FAILED: Final = 500
_OF_CLIENT: Final = frozenset({401, 403, 404})  # all requests will be answered so


class FilterHttpFailed(Exception):  # noqa: N818
    """There was no answer, or none that can be used. The text is the cause."""

    def __init__(self, cause: str, *, is_of_request: bool = False) -> None:
        """`is_of_request`: the cause may be this request alone."""
        super().__init__(cause)
        self.is_of_request = is_of_request


class FilterHttpPlace(NamedTuple):
    """The place of a filter, and the files for it."""

    url: str
    socket: str = ""  # a Unix socket, instead of the host
    ca_file: str = ""
    password_file: str = ""


class FilterHttp:
    """Makes requests to one filter. Belongs to the event loop."""

    def __init__(self, place: FilterHttpPlace, resolver: Resolver) -> None:
        self._place = place
        self._url = httpx.URL(place.url)
        self._resolver = resolver
        self._client: httpx.AsyncClient | None = None
        self._password = ""
        self._preparing = asyncio.Lock()
        self._running = 0
        self._is_retired = False

    async def post(
        self,
        path: str,
        fields: Sequence[tuple[str, bytes]],
        octets: int,
        blocks: AsyncIterator[bytes],
    ) -> bytes:
        """Return the body of the answer. Raises FilterHttpFailed, and errors of the blocks."""
        self._running += 1
        try:
            client = await self._prepared()
            headers = [*fields, ("content-length", b"%d" % octets), *self._own_fields()]
            *others, last = await self._targets(path)
            for url in others:
                with suppress(httpx.ConnectError):  # nothing of the content was read
                    return await _exchange(client, self._request(client, url, headers, blocks))
            return await _exchange(client, self._request(client, last, headers, blocks))
        except httpx.LocalProtocolError as error:
            raise FilterHttpFailed(http_cause(error), is_of_request=True) from None
        except httpx.HTTPError as error:
            raise FilterHttpFailed(http_cause(error)) from None
        finally:
            self._running -= 1
            if self._is_retired and not self._running:
                await self._close()

    async def retire(self) -> None:
        """Close the connections, once they are not used any more."""
        self._is_retired = True
        if not self._running:
            await self._close()

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _prepared(self) -> httpx.AsyncClient:
        """Make the client at first use: it reads files. Raises FilterHttpFailed."""
        async with self._preparing:
            if self._client is None:
                tls, self._password = await asyncio.to_thread(self._read_files)
                limits = httpx.Limits(
                    max_connections=None,  # the caller limits the requests
                    max_keepalive_connections=KEPT_CONNECTIONS,
                    keepalive_expiry=KEPT_SECONDS,
                )
                self._client = httpx.AsyncClient(
                    transport=httpx.AsyncHTTPTransport(
                        verify=tls, trust_env=False, limits=limits, uds=self._place.socket or None
                    ),
                    trust_env=False,
                    follow_redirects=False,
                    timeout=None,
                    headers={"user-agent": "restante", "accept-encoding": "identity"},
                )
            return self._client

    def _read_files(self) -> tuple[ssl.SSLContext | bool, str]:
        tls: ssl.SSLContext | bool = False  # not used with http
        try:
            if self._url.scheme == "https":
                tls = verifying_client_context(self._place.ca_file)
        except OSError as error:  # ssl.SSLError among them
            raise FilterHttpFailed(f"`ca_file` cannot be used: {cause_of(error)}") from None
        if not self._place.password_file:
            return tls, ""
        try:
            with Path(self._place.password_file).open(encoding="utf-8") as file:
                password = file.read(PASSWORD_LIMIT + 1).strip()
        except (OSError, UnicodeDecodeError) as error:
            cause = cause_of(error) if isinstance(error, OSError) else "it is not UTF-8 text"
            raise FilterHttpFailed(f"`password_file` cannot be read: {cause}") from None
        if not password.isprintable() or not 0 < len(password) <= PASSWORD_LIMIT:
            raise FilterHttpFailed("`password_file` has no password on one line")
        return tls, password

    async def _targets(self, path: str) -> Sequence[httpx.URL]:
        """Return the URLs to ask, one after another. Raises FilterHttpFailed."""
        url = self._url.copy_with(raw_path=self._url.raw_path.rstrip(b"/") + path.encode())
        if self._place.socket:
            return [url]
        with suppress(ValueError):
            ip_address(url.host)
            return [url]
        try:
            found = await self._resolver.addresses(url.raw_host.decode("ascii").rstrip("."))
        except LookupFailed as error:
            raise FilterHttpFailed(str(error)) from None
        return [url.copy_with(host=str(address)) for address in found[:MOST_ADDRESSES]]

    def _own_fields(self) -> Sequence[tuple[str, bytes]]:
        fields = [("host", self._url.netloc)]
        return [*fields, ("password", self._password.encode())] if self._password else fields

    def _request(
        self,
        client: httpx.AsyncClient,
        url: httpx.URL,
        headers: Sequence[tuple[str, bytes]],
        blocks: AsyncIterator[bytes],
    ) -> httpx.Request:
        """Make the request. Host field and certificate check use the name in the settings."""
        name = self._url.raw_host.decode("ascii")
        return client.build_request(
            "POST",
            url,
            headers=[(name.encode("ascii"), value) for name, value in headers],
            content=blocks,
            extensions={"sni_hostname": name},
        )


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> bytes:
    answer = await client.send(request, stream=True)
    try:
        status = answer.status_code
        if status != httpx.codes.OK:
            is_of_request = _REFUSED <= status < _FAILED and status not in _OF_CLIENT
            raise FilterHttpFailed(f"it answers {status}", is_of_request=is_of_request)
        body = bytearray()
        async for block in answer.aiter_raw():
            body += block
            if len(body) > ANSWER_LIMIT:
                raise FilterHttpFailed("its answer is too long", is_of_request=True)
        return bytes(body)
    finally:
        await answer.aclose()
