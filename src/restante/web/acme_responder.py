"""The `acme` listener's only page: answers to challenges of HTTP-01 (RFC 8555 §8.3).

Everything else is 404, whatever the method, so nothing about this server is told.
"""

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from restante.acme.challenge_answers import ChallengeAnswers

_METHODS: Final = frozenset({"GET", "HEAD"})


def acme_responder(answers: ChallengeAnswers) -> ASGIApp:
    """Return the application."""

    async def application(scope: Scope, _receive: Receive, send: Send) -> None:
        found = answers.answer(scope["path"]) if scope["method"] in _METHODS else None
        body = b"not found\n" if found is None else found.encode()
        await send(
            {
                "type": "http.response.start",
                "status": HTTPStatus.NOT_FOUND if found is None else HTTPStatus.OK,
                "headers": [
                    (b"content-type", b"text/plain; charset=utf-8"),
                    (b"content-length", str(len(body)).encode()),
                    (b"connection", b"close"),
                ],
            }
        )
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    return application
