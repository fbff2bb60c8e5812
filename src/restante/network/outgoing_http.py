"""One request over HTTP to another host: for webhooks, a provider of OpenID Connect, and ACME.

Guarantees: TLS is verified. No redirect is followed, no proxy of the environment is used, and no
cookie is kept. The time for all of it is limited, and so are the octets of the answer. URLs may be
secret, and appear in no text.

The host's name is looked up like a destination's, by the configured name servers, and the request
goes to an address. The system's resolver runs in threads that cannot be interrupted, and the end of
the process would wait for them. For a URL that an account chose, the address must be public. The
request goes to the address that was checked, so that DNS cannot answer differently in between.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from restante.network.late_module import CodeNotLoaded, LateModule, Load, load_now
from restante.network.public_address import is_public
from restante.network.resolver import LookupFailed, Resolver
from restante.network.tls_context import verifying_client_context
from restante.phrases import cause_of
from restante.tenancy.model import IpAddress

if TYPE_CHECKING:
    import httpx
else:
    httpx = LateModule("httpx")

HTTP_LIBRARY: Final = "restante.network.http_library"
MOST_ADDRESSES: Final = 8  # addresses of a host that are tried


class OutgoingFailed(Exception):  # noqa: N818
    """There was no answer, or none that can be used. The text is the cause, without the URL."""


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request to another host."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    is_public_only: bool = False  # an account chose the URL
    most_octets: int = 0  # of the answer's body; 0: it is not read


@dataclass(frozen=True, slots=True)
class OutgoingAnswer:
    """The answer of another host."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # names in lower case


class OutgoingHttp:
    """Makes requests. Belongs to the event loop."""

    def __init__(
        self,
        resolver: Resolver,
        timeout: Callable[[], float],
        tls: Callable[[], ssl.SSLContext] = verifying_client_context,
        load: Load = load_now,
    ) -> None:
        """`timeout` returns the seconds for a whole request.

        `tls` makes the context with the authorities to trust. It is called once, in a thread,
        because it reads them from disk. `load` gets HTTP_LIBRARY before the first request.
        """
        self._resolver = resolver
        self._timeout = timeout
        self._make_tls = tls
        self._load = load
        self._is_loaded = False
        self._tls: ssl.SSLContext | None = None

    async def fetch(self, request: OutgoingRequest) -> OutgoingAnswer:
        """Return the answer to a request. Raises OutgoingFailed."""
        await self._have_library()
        try:
            async with asyncio.timeout(self._timeout()):
                return await self._fetch(request, httpx.URL(request.url))
        except (TimeoutError, httpx.ConnectTimeout):
            raise OutgoingFailed("no answer in time") from None
        except LookupFailed as error:
            raise OutgoingFailed(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise OutgoingFailed(http_cause(error)) from None

    def forget(self, url: str) -> None:
        """Look up the host of a URL again the next time: it may have moved."""
        if not self._is_loaded:
            return  # nothing was looked up
        with suppress(httpx.InvalidURL):
            self._resolver.forget(_host_name(httpx.URL(url)))

    async def _have_library(self) -> None:
        if not self._is_loaded:
            try:
                await self._load(HTTP_LIBRARY)
            except CodeNotLoaded as error:
                raise OutgoingFailed(str(error)) from None
            self._is_loaded = True

    async def _fetch(self, request: OutgoingRequest, url: httpx.URL) -> OutgoingAnswer:
        """Return the answer of the first address that accepts a connection."""
        found = await self._addresses(url)
        if request.is_public_only:
            found = _public(found)
        addresses = [str(address) for address in found[:MOST_ADDRESSES]]
        client = httpx.AsyncClient(
            verify=await self._context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(
                None, connect=self._timeout() / len(addresses)
            ),  # the whole has a limit
        )
        async with client:
            for address in addresses[:-1]:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await _fetch_from(address, client, request, url)
            return await _fetch_from(addresses[-1], client, request, url)

    async def _addresses(self, url: httpx.URL) -> Sequence[IpAddress]:
        """Return the addresses of a URL's host. Raises LookupFailed."""
        try:
            return [ip_address(url.host)]
        except ValueError:
            return await self._resolver.addresses(_host_name(url))

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(self._make_tls)
        return self._tls


async def _fetch_from(
    address: str, client: httpx.AsyncClient, request: OutgoingRequest, url: httpx.URL
) -> OutgoingAnswer:
    """Ask one address. Request and certificate check use the name in the URL."""
    made = client.build_request(
        request.method,
        url.copy_with(host=address),
        headers={
            "host": url.netloc.decode("ascii"),
            "accept-encoding": "identity",  # few octets could be many otherwise
            **request.headers,
        },
        content=request.body,
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )
    answer = await client.send(made, stream=True)
    try:
        body = await _body(answer, request.most_octets)
        return OutgoingAnswer(answer.status_code, body, dict(answer.headers))
    finally:
        await answer.aclose()


async def _body(answer: httpx.Response, most: int) -> bytes:
    """Read the body as it was sent. Raises OutgoingFailed if it is too long."""
    body = bytearray()
    if most:
        async for block in answer.aiter_raw():
            body += block
            if len(body) > most:
                raise OutgoingFailed("its answer is too long")
    return bytes(body)


def _host_name(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".")


def _public(addresses: Sequence[IpAddress]) -> Sequence[IpAddress]:
    """Return the addresses that an account may make us connect to. Raises OutgoingFailed."""
    found = [address for address in addresses if is_public(address)]
    if not found:
        raise OutgoingFailed("its host has no public address")
    return found


def http_cause(error: BaseException) -> str:
    """Describe an error by its type: the texts of errors may contain the URL."""
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(inner)
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message.rstrip(".")
            return f"its certificate is not trusted: {reason}"
        if isinstance(cause, ssl.SSLError):
            return "TLS failed"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    if isinstance(error, httpx.ProtocolError):
        return "its answer is not HTTP"
    return next(
        (cause_of(one) for one in reversed(causes) if isinstance(one, (OSError, EOFError))),
        "the exchange failed",
    )
