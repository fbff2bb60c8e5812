"""The only page of the `acme` listener."""

import asyncio

import httpx
import pytest

from restante.acme.challenge_answers import ChallengeAnswers
from restante.web.acme_responder import acme_responder


def asked(method: str, path: str) -> httpx.Response:
    answers = ChallengeAnswers()
    answers.expect("abc", "abc.thumb")

    async def story() -> httpx.Response:
        transport = httpx.ASGITransport(acme_responder(answers))
        async with httpx.AsyncClient(transport=transport, base_url="http://mx") as client:
            return await client.request(method, path)

    return asyncio.run(story())


def test_a_token_is_answered() -> None:
    answer = asked("GET", "/.well-known/acme-challenge/abc")
    assert (answer.status_code, answer.text) == (200, "abc.thumb")
    assert asked("HEAD", "/.well-known/acme-challenge/abc").text == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/.well-known/acme-challenge/"),
        ("GET", "/.well-known/acme-challenge/other"),
        ("GET", "/.well-known/acme-challenge/abc/"),
        ("GET", "/v1/status"),
        ("POST", "/.well-known/acme-challenge/abc"),
        ("OPTIONS", "/.well-known/acme-challenge/abc"),
    ],
)
def test_everything_else_is_not_there(method: str, path: str) -> None:
    answer = asked(method, path)
    assert (answer.status_code, answer.headers["connection"]) == (404, "close")
    assert "server" not in answer.headers
