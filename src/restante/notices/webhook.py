"""Sends a notice as an HTTP POST.

Promise: TLS is verified; no redirect is followed, no proxy of the environment used, no cookie kept, nothing of the answer
read but its status; and it all takes so long and no longer. The URL is a secret and stands in no text.
"""

import asyncio
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import httpx

from restante import __version__
from restante.notices.attempt import Attempt, End
from restante.notices.signature import signed_headers
from restante.notices.wording import as_json
from restante.tenancy.notice import Notice

# What the receiver says of this notice, and will say of it again; 410: of the whole address.
_FINAL: Final = frozenset({400, 410, 413, 415, 422})


class Webhooks:
    """Posts notices."""

    def __init__(
        self,
        hostname: str,
        now: Callable[[], float],
        timeout: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`timeout` says how many seconds all of it may take; `tls` has the authorities to trust, None for the system's."""
        self._hostname = hostname
        self._now = now
        self._timeout = timeout
        self._tls = tls

    async def send(self, url: str, key: str, notice: Notice) -> Attempt:
        """Post a notice, signed with the key. Returns what came of it; raises only what is a defect."""
        body = as_json(notice, self._hostname)
        headers = {
            "content-type": "application/json",
            "user-agent": f"Restante/{__version__}",
            **signed_headers(key, notice.key, self._now(), body),
        }
        try:
            async with asyncio.timeout(self._timeout()):
                return _judge(await self._post(url, headers, body))
        except TimeoutError:
            return Attempt(End.NOT_NOW, "no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Attempt(End.NOT_NOW, _cause(error))

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        client = httpx.AsyncClient(
            verify=await self._context(),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113  the whole has a limit
        )
        async with client, client.stream("POST", url, headers=headers, content=body) as answer:
            return answer.status_code

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)  # reads the authorities from disk
        return self._tls


def _judge(status: int) -> Attempt:
    known = {code.value: code.phrase for code in HTTPStatus}
    text = f"{status} {known.get(status, '')}".strip()
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Attempt(End.SENT, text)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Attempt(End.NOT_NOW, f"{text}: redirects are not followed")
    return Attempt(End.REFUSED if status in _FINAL else End.NOT_NOW, text)


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
