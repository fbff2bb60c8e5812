"""The answers to challenges of HTTP-01 (RFC 8555 §8.3) that are expected now. Pure."""

from typing import Final

CHALLENGE_PATH: Final = "/.well-known/acme-challenge/"


class ChallengeAnswers:
    """Key authorizations by their tokens. Orders add them, and the listener reads them."""

    def __init__(self) -> None:
        self._answers: dict[str, str] = {}

    def expect(self, token: str, authorization: str) -> None:
        """Answer a token from now on."""
        self._answers[token] = authorization

    def forget(self, token: str) -> None:
        """Answer it no longer."""
        self._answers.pop(token, None)

    def answer(self, path: str) -> str | None:
        """Return the answer to the path of a request; None if there is none."""
        if not path.startswith(CHALLENGE_PATH):
            return None
        return self._answers.get(path.removeprefix(CHALLENGE_PATH))
