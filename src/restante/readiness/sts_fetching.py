"""Fetches the text of an MTA-STS policy (RFC 8461 §3.3)."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from restante.network.outgoing_http import OutgoingFailed, OutgoingHttp, OutgoingRequest
from restante.readiness.mta_sts import POLICY_OCTETS


def _is_public_only() -> bool:
    return True


def policy_fetcher(
    http: OutgoingHttp, is_public_only: Callable[[], bool] = _is_public_only
) -> Callable[[str], Awaitable[str]]:
    """Return a function that fetches a policy's text.

    It connects to public addresses only, unless `is_public_only` says no. It raises OutgoingFailed.
    """

    async def fetch(url: str) -> str:
        request = OutgoingRequest(
            "GET", url, is_public_only=is_public_only(), most_octets=POLICY_OCTETS
        )
        answer = await http.fetch(request)
        if answer.status != HTTPStatus.OK:
            raise OutgoingFailed(f"its server answers {answer.status}")
        return answer.body.decode("utf-8", "replace")

    return fetch
