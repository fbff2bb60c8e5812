"""Sends a notice as an HTTP POST.

Promise: TLS is verified; no redirect is followed, no proxy of the environment used, no cookie kept, nothing of the answer
read but its status; and it all takes so long and no longer. The URL is a secret and stands in no text.

The host's name is looked up as a destination's is, by the configured name servers, and the request goes to an address: what
the system offers for that runs on threads which nothing can cut off, and the end of the process would wait for them.
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
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.signature import signed_headers
from restante.notices.wording import as_json
from restante.tenancy.model import IpAddress
from restante.tenancy.notice import Notice

# What the receiver says of this notice, and will say of it again; 410: of the whole address.
MOST_ADDRESSES: Final = 8  # of a host that are tried
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
        """`timeout` says how many seconds all of it may take; `tls` has the authorities to trust, None for the system's."""
        self._hostname = hostname
        self._now = now
        self._timeout = timeout
        self._resolver = resolver
        self._tls = tls

    async def send(
        self, url: str, key: str, notice: Notice, *, is_public_only: bool = False
    ) -> NoticeAttempt:
        """Post a notice, signed with the key; an account's to public addresses alone. Returns what came of it; raises only what is a defect."""
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
        """Return the status that the first address gives to which there is a connection."""
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
        """Return where the host of a URL can be reached. Raises LookupFailed."""
        try:
            return [ip_address(url.host)]
        except ValueError:
            name = url.raw_host.decode("ascii").rstrip(".")
            return await self._resolver.addresses(name)

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(
                ssl.create_default_context
            )  # reads the authorities from disk
        return self._tls


def _public(addresses: Sequence[IpAddress]) -> Sequence[IpAddress]:
    """Return those that an account may have us connect to. Raises NotPublic.

    The request goes to the address that was checked, so that DNS cannot answer differently in between.
    """
    found = [address for address in addresses if is_public(address)]
    if not found:
        raise NotPublic("its host has no public address")
    return found


async def _post_to(
    address: str, client: httpx.AsyncClient, url: httpx.URL, headers: dict[str, str], body: bytes
) -> int:
    """Post to one address. The request and the check of the certificate have the name that the URL has."""
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
    """Say what went wrong by its kind: the texts of errors may have the URL in them."""
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
    return f"the exchange failed: {type(error).__name__}"
