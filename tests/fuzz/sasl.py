"""Responses into the SASL mechanisms, and their credentials in the check of digests.

The rule: a challenge, credentials or BadResponse, nothing else. Credentials can be checked.
"""

import hmac
from typing import Final

from restante.sasl import cram_md5
from restante.sasl.auth_login import PASSWORD_PROMPT, AuthLogin
from restante.sasl.cram_md5 import CramMd5
from restante.sasl.mechanism import (
    BadResponse,
    Challenge,
    DigestCredentials,
    PasswordCredentials,
    SaslMechanism,
)
from restante.sasl.plain import PlainExchange
from restante.tenancy.saslprep import prepared
from tests.fuzz import scram

_CHALLENGE: Final = b"<1.2@mx2.example.net>"
_PASSWORD: Final = "secret"


def check(data: bytes) -> None:
    """Run one input, as initial response and as a later one. Raises what breaks the rule."""
    for mechanism in (PlainExchange(), CramMd5(_CHALLENGE)):
        _check_step(mechanism, data, is_initial=True)
    for mechanism in (PlainExchange(), CramMd5(_CHALLENGE)):
        assert isinstance(mechanism.begin(None), Challenge)
        _check_step(mechanism, data, is_initial=False)
    _check_login(data)
    scram.check(data)


def _check_login(data: bytes) -> None:
    """The input as user name, and as password."""
    mechanism = AuthLogin()
    try:
        outcomes = [mechanism.begin(data), mechanism.respond(data)]
    except BadResponse:
        return
    assert outcomes == [
        Challenge(PASSWORD_PROMPT),
        PasswordCredentials(prepared(data.decode()), data.decode()),
    ]
    assert b"\0" not in data


def _check_step(mechanism: SaslMechanism, response: bytes, *, is_initial: bool) -> None:
    try:
        outcome = mechanism.begin(response) if is_initial else mechanism.respond(response)
    except BadResponse:
        return
    match outcome:
        case PasswordCredentials():
            assert outcome.user
            assert "\0" not in outcome.user + outcome.password
            identity, user, password = response.split(b"\0")
            name = prepared(user.decode())
            assert (name, password) == (outcome.user, outcome.password.encode())
            assert not identity or prepared(identity.decode()) == name
        case DigestCredentials():
            assert outcome.user
            assert outcome.challenge == _CHALLENGE
            _check_digest(outcome, response)
        case _:
            raise AssertionError(f"{outcome} after a response")


def _check_digest(credentials: DigestCredentials, response: bytes) -> None:
    """Compare as reception/authentication.py does."""
    expected = cram_md5.digest(_PASSWORD, credentials.challenge)
    is_good = hmac.compare_digest(expected, credentials.digest)
    assert is_good == (response[-len(expected) :].lower() == expected.encode())
    user = response[: -len(expected)].decode()
    assert user.endswith(" ")
    assert prepared(user[:-1]) == credentials.user
