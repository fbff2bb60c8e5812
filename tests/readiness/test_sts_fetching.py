"""A policy of MTA-STS is fetched from public addresses only, and not without end."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from restante.network.outgoing_http import OutgoingAnswer, OutgoingFailed, OutgoingRequest
from restante.readiness.sts_fetching import policy_fetcher

URL = "https://mta-sts.a.example/.well-known/mta-sts.txt"


@dataclass
class Web:
    """Answers one request."""

    answer: OutgoingAnswer
    asked: list[OutgoingRequest] = field(default_factory=list)

    async def fetch(self, request: OutgoingRequest) -> OutgoingAnswer:
        self.asked.append(request)
        return self.answer


def fetched(web: Web) -> str:
    return asyncio.run(policy_fetcher(cast("Any", web))(URL))  # type: ignore[arg-type]


def test_the_request_is_bound_to_public_addresses_and_a_size() -> None:
    web = Web(OutgoingAnswer(200, b"version: STSv1\n"))
    assert fetched(web) == "version: STSv1\n"
    [request] = web.asked
    assert (request.url, request.is_public_only, request.most_octets) == (URL, True, 65536)


def test_another_answer_is_no_policy() -> None:
    with pytest.raises(OutgoingFailed, match="its server answers 301"):
        fetched(Web(OutgoingAnswer(301, b"moved")))
