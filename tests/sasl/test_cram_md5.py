"""CRAM-MD5: the example of RFC 2195, and responses that do not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.cram_md5 import CramMd5, digest
from restante.sasl.mechanism import BadResponse, Challenge, DigestCredentials

# RFC 2195 §2
CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
DIGEST = "b913a602c7eda7a495b4e6e7334d3890"


def test_the_example() -> None:
    exchange = CramMd5(CHALLENGE)
    assert exchange.begin(None) == Challenge(CHALLENGE)
    assert exchange.respond(b"tim " + DIGEST.encode()) == DigestCredentials(
        "tim", CHALLENGE, DIGEST
    )
    assert digest("tanstaaftanstaaf", CHALLENGE) == DIGEST


@pytest.mark.parametrize(
    ("response", "user"),
    [
        (b"tim " + DIGEST.upper().encode(), "tim"),
        (b"a user " + DIGEST.encode(), "a user"),
        ("primär ".encode() + DIGEST.encode(), "primär"),
    ],
)
def test_responses_that_are_taken(response: bytes, user: str) -> None:
    exchange = CramMd5(CHALLENGE)
    exchange.begin(None)
    assert exchange.respond(response) == DigestCredentials(user, CHALLENGE, DIGEST)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"tim",
        DIGEST.encode(),
        b" " + DIGEST.encode(),
        b"tim " + DIGEST[1:].encode(),
        b"tim " + DIGEST.encode() + b"0",
        b"tim " + DIGEST.encode() + b"\n",
        b"tim g" + DIGEST[1:].encode(),
        b"\xff " + DIGEST.encode(),
        b"tim " + ("\u0661" * 32).encode(),  # digits, but not of ASCII
    ],
)
def test_responses_that_are_refused(response: bytes) -> None:
    exchange = CramMd5(CHALLENGE)
    exchange.begin(None)
    with pytest.raises(BadResponse):
        exchange.respond(response)


def test_a_client_never_speaks_first() -> None:
    """RFC 4954 §4."""
    with pytest.raises(BadResponse):
        CramMd5(CHALLENGE).begin(b"tim " + DIGEST.encode())


@given(st.binary())
def test_any_response_is_read_or_refused(response: bytes) -> None:
    try:
        credentials = CramMd5(CHALLENGE).respond(response)
    except BadResponse:
        return
    assert credentials.user
