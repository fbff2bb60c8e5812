"""PLAIN: one message with a user name and a password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.mechanism import BadResponse, Challenge, PasswordCredentials
from restante.sasl.plain import PlainExchange
from restante.tenancy.saslprep import prepared


@pytest.mark.parametrize(
    ("response", "user", "password"),
    [
        (b"\0tim\0tanstaaf", "tim", "tanstaaf"),
        (b"tim\0tim\0tanstaaf", "tim", "tanstaaf"),
        ("\0primär\0schlüssel".encode(), "primär", "schlüssel"),
        ("\0\u2168\0x".encode(), "IX", "x"),  # RFC 4616 §2: names are prepared
        ("I\u00adX\0\u2168\0x".encode(), "IX", "x"),
        (b"\0tim\0", "tim", ""),  # the check of the password refuses it
    ],
)
def test_it_is_read_at_once_or_after_an_empty_challenge(
    response: bytes, user: str, password: str
) -> None:
    assert PlainExchange().begin(response) == PasswordCredentials(user, password)
    exchange = PlainExchange()
    assert exchange.begin(None) == Challenge(b"")
    assert exchange.respond(response) == PasswordCredentials(user, password)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"tim",
        b"tim\0tanstaaf",
        b"\0\0tanstaaf",
        b"\0tim\0tanstaaf\0",
        b"other\0tim\0tanstaaf",  # nobody acts for another
        b"\0\xff\0tanstaaf",
        "\0\u00ad\0tanstaaf".encode(),  # no name is left
        "\u00ad\0tim\0tanstaaf".encode(),
    ],
)
def test_responses_that_are_refused(response: bytes) -> None:
    with pytest.raises(BadResponse):
        PlainExchange().respond(response)


@given(st.text(st.characters(exclude_characters="\0")), st.text())
def test_a_response_with_a_user_name_is_read_unless_a_nul_is_in_the_password(
    user: str, password: str
) -> None:
    response = f"\0{user}\0{password}".encode("utf-8", "surrogatepass")
    try:
        credentials = PlainExchange().respond(response)
    except BadResponse:
        is_utf8 = response.decode("utf-8", "ignore").encode() == response
        assert not prepared(user) or "\0" in password or not is_utf8
    else:
        assert credentials == PasswordCredentials(prepared(user), password)


def test_credentials_do_not_show_the_password() -> None:
    assert "tanstaaf" not in repr(PlainExchange().respond(b"\0tim\0tanstaaf"))
