"""Sends a notice as an HTTP POST.

Only the status of the answer is read. `network/outgoing_http` has the other guarantees.
"""

import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from restante import __version__
from restante.network.late_module import Load, load_now
from restante.network.outgoing_http import OutgoingFailed, OutgoingHttp, OutgoingRequest
from restante.network.resolver import Resolver
from restante.network.tls_context import verifying_client_context
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.webhook_signature import signed_headers
from restante.notices.wording import webhook_body
from restante.tenancy.notice import Notice

# `_FINAL`: a permanent refusal of this notice; with 410, of every notice to this URL.
_FINAL: Final = frozenset({400, 410, 413, 415, 422})


class WebhookTransport:
    """Posts notices."""

    def __init__(
        self,
        hostname: str,
        now: Callable[[], float],
        timeout: Callable[[], float],
        resolver: Resolver,
        tls: ssl.SSLContext | None = None,
        *,
        load: Load = load_now,
    ) -> None:
        """`timeout` returns the seconds for all of it; `tls` has the authorities to trust.

        None means those of the system. `load` is for `OutgoingHttp`.
        """
        self._hostname = hostname
        self._now = now
        context = verifying_client_context if tls is None else lambda: tls
        self._http = OutgoingHttp(resolver, timeout, context, load)

    async def send(
        self, url: str, key: str, notice: Notice, *, is_public_only: bool = False
    ) -> NoticeAttempt:
        """Post a signed notice; an account's only to public addresses. Raises only for defects.

        After a failure the host is looked up again the next time: it may have moved.
        """
        body = webhook_body(notice, self._hostname)
        headers = {
            "content-type": "application/json",
            "user-agent": f"Restante/{__version__}",
            **signed_headers(key, notice.key, self._now(), body),
        }
        request = OutgoingRequest("POST", url, headers, body, is_public_only)
        try:
            attempt = _judge((await self._http.fetch(request)).status)
        except OutgoingFailed as error:
            attempt = NoticeAttempt(NoticeResult.NOT_NOW, str(error))
        if attempt.end is not NoticeResult.SENT:
            self._http.forget(url)
        return attempt


def _judge(status: int) -> NoticeAttempt:
    known = {code.value: code.phrase for code in HTTPStatus}
    text = f"{status} {known.get(status, '')}".strip()
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return NoticeAttempt(NoticeResult.SENT, text)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return NoticeAttempt(NoticeResult.NOT_NOW, f"{text}: redirects are not followed")
    return NoticeAttempt(NoticeResult.REFUSED if status in _FINAL else NoticeResult.NOT_NOW, text)
