"""LOGIN: a user name, then a password, each asked for."""

import pytest

from restante.sasl.auth_login import AuthLogin
from restante.sasl.mechanism import BadResponse, Challenge, PasswordCredentials


def test_the_user_name_is_asked_for_and_then_the_password() -> None:
    exchange = AuthLogin()
    assert exchange.begin(None) == Challenge(b"Username:")
    assert exchange.respond("prim\u00e4r".encode()) == Challenge(b"Password:")
    assert exchange.respond(b"se cret") == PasswordCredentials("prim\u00e4r", "se cret")


def test_an_initial_response_is_the_user_name() -> None:
    exchange = AuthLogin()
    assert exchange.begin(b"primary") == Challenge(b"Password:")
    assert exchange.respond(b"") == PasswordCredentials("primary", "")


@pytest.mark.parametrize("user", [b"", b"\xff", b"a\0b"])
def test_a_bad_user_name_ends_it(user: bytes) -> None:
    exchange = AuthLogin()
    exchange.begin(None)
    with pytest.raises(BadResponse):
        exchange.respond(user)


@pytest.mark.parametrize("password", [b"\xff", b"a\0b"])
def test_a_bad_password_ends_it(password: bytes) -> None:
    exchange = AuthLogin()
    exchange.begin(b"primary")
    with pytest.raises(BadResponse):
        exchange.respond(password)
