"""Sends a notice as an HTTP POST.

Guarantees: TLS is verified. No redirect is followed, no proxy of the environment is used, and no
cookie is kept. Only the status of the answer is read. The time for all of it is limited. The URL is
a secret and appears in no text.

The host's name is looked up like a destination's, by the configured name servers, and the request
goes to an address. The system's resolver runs in threads that cannot be interrupted, and the end of
the process would wait for them.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

import httpx

from restante import __version__
from restante.network.public import is_public
from restante.network.resolver import LookupFailed, Resolver
from restante.network.tls_context import verifying_client_context
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.signature import signed_headers
from restante.notices.wording import as_json
from restante.phrases import cause_of
from restante.tenancy.model import IpAddress
from restante.tenancy.notice import Notice

# `_FINAL`: a permanent refusal of this notice; with 410, of every notice to this URL.
MOST_ADDRESSES: Final = 8  # addresses of a host that are tried
_FINAL: Final = frozenset({400, 410, 413, 415, 422})


class NotPublic(Exception):  # noqa: N818  a refusal
    """The URL leads into a network that only we can reach."""


class Webhooks:
    """Posts notices."""

    def __init__(
        self,
        hostname: str,
        now: Callable[[], float],
        timeout: Callable[[], float],
        resolver: Resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`timeout` returns the seconds for all of it; `tls` has the authorities to trust.

        None means those of the system.
        """
        self._hostname = hostname
        self._now = now
        self._timeout = timeout
        self._resolver = resolver
        self._tls = tls

    async def send(
        self, url: str, key: str, notice: Notice, *, is_public_only: bool = False
    ) -> NoticeAttempt:
        """Post a signed notice; an account's only to public addresses. Raises only for defects.

        After a failure the host is looked up again the next time: it may have moved.
        """
        attempt = await self._attempt(url, key, notice, is_public_only=is_public_only)
        if attempt.end is not NoticeResult.SENT:
            with suppress(httpx.InvalidURL):
                self._resolver.forget(_host_name(httpx.URL(url)))
        return attempt

    async def _attempt(
        self, url: str, key: str, notice: Notice, *, is_public_only: bool
    ) -> NoticeAttempt:
        body = as_json(notice, self._hostname)
        headers = {
            "content-type": "application/json",
            "user-agent": f"Restante/{__version__}",
            **signed_headers(key, notice.key, self._now(), body),
        }
        try:
            async with asyncio.timeout(self._timeout()):
                return _judge(
                    await self._post(httpx.URL(url), headers, body, is_public_only=is_public_only)
                )
        except (TimeoutError, httpx.ConnectTimeout):
            return NoticeAttempt(NoticeResult.NOT_NOW, "no answer in time")
        except (LookupFailed, NotPublic) as error:
            return NoticeAttempt(NoticeResult.NOT_NOW, str(error))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return NoticeAttempt(NoticeResult.NOT_NOW, _cause(error))

    async def _post(
        self, url: httpx.URL, headers: dict[str, str], body: bytes, *, is_public_only: bool
    ) -> int:
        """Return the status from the first address that accepts a connection."""
        found = await self._addresses(url)
        if is_public_only:
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
                    return await _post_to(address, client, url, headers, body)
            return await _post_to(addresses[-1], client, url, headers, body)

    async def _addresses(self, url: httpx.URL) -> Sequence[IpAddress]:
        """Return the addresses of a URL's host. Raises LookupFailed."""
        try:
            return [ip_address(url.host)]
        except ValueError:
            return await self._resolver.addresses(_host_name(url))

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(
                verifying_client_context
            )  # reads the authorities from disk
        return self._tls


def _host_name(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".")


def _public(addresses: Sequence[IpAddress]) -> Sequence[IpAddress]:
    """Return the addresses that an account may make us connect to. Raises NotPublic.

    The request goes to the address that was checked, so that DNS cannot answer differently in
    between.
    """
    found = [address for address in addresses if is_public(address)]
    if not found:
        raise NotPublic("its host has no public address")
    return found


async def _post_to(
    address: str, client: httpx.AsyncClient, url: httpx.URL, headers: dict[str, str], body: bytes
) -> int:
    """Post to one address. Request and certificate check use the name in the URL."""
    request = client.build_request(
        "POST",
        url.copy_with(host=address),
        headers={"host": url.netloc.decode("ascii"), **headers},
        content=body,
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )
    answer = await client.send(request, stream=True)
    await answer.aclose()
    return answer.status_code


def _judge(status: int) -> NoticeAttempt:
    known = {code.value: code.phrase for code in HTTPStatus}
    text = f"{status} {known.get(status, '')}".strip()
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return NoticeAttempt(NoticeResult.SENT, text)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return NoticeAttempt(NoticeResult.NOT_NOW, f"{text}: redirects are not followed")
    return NoticeAttempt(NoticeResult.REFUSED if status in _FINAL else NoticeResult.NOT_NOW, text)


def _cause(error: BaseException) -> str:
    """Describe an error by its type: the texts of errors may contain the URL."""
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(inner)
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
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
