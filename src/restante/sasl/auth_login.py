"""LOGIN (draft-murchison-sasl-login): user name and password, each asked for.

It was never a standard, and many stock clients and servers speak nothing else. Under TLS it gives
away what PLAIN does.
"""

from typing import Final

from restante.sasl.mechanism import BadResponse, Challenge, PasswordCredentials
from restante.tenancy.saslprep import prepared

USER_PROMPT: Final = (
    b"Username:"  # as the draft spells them; some clients look for these very words
)
PASSWORD_PROMPT: Final = b"Password:"


class AuthLogin:
    """One LOGIN exchange."""

    def __init__(self) -> None:
        self._user = ""

    def begin(self, initial: bytes | None) -> Challenge:
        """An initial response is the user name: some clients send it at once."""
        return Challenge(USER_PROMPT) if initial is None else self._take_user(initial)

    def respond(self, response: bytes) -> Challenge | PasswordCredentials:
        """Take the user name, then the password.

        Raises BadResponse for an empty user name or no UTF-8.
        """
        if not self._user:
            return self._take_user(response)
        return PasswordCredentials(self._user, _text(response))

    def _take_user(self, response: bytes) -> Challenge:
        self._user = prepared(_text(response))
        if not self._user:
            raise BadResponse
        return Challenge(PASSWORD_PROMPT)


def _text(response: bytes) -> str:
    """Return a response as text. NUL is in no name, and would end it elsewhere."""
    if b"\0" in response:
        raise BadResponse
    try:
        return response.decode("utf-8")
    except UnicodeDecodeError:
        raise BadResponse from None
