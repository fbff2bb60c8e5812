"""The server side of SCRAM-SHA-256: the example of RFC 7677, and messages that do not fit."""

import base64
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.mechanism import BadResponse, Challenge, ScramCredentials
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_client import ScramClient
from restante.sasl.scram_keys import Salting, salted_password, verifier_of
from restante.sasl.scram_messages import server_final
from tests.sasl.rfc7677 import (
    CLIENT_FINAL,
    CLIENT_FIRST,
    CLIENT_NONCE,
    PASSWORD,
    SALTING,
    SERVER_FINAL,
    SERVER_FIRST,
    SERVER_NONCE,
)

FEW: Final = Salting(b"salt", 1)


def server(salting: Salting = SALTING) -> ScramSha256:
    return ScramSha256(SERVER_NONCE, lambda _user: salting)


def exchanged(first: bytes, final: bytes) -> ScramCredentials:
    """Return what the server side makes of two messages."""
    exchange = server()
    exchange.begin(first)
    outcome = exchange.respond(final)
    assert isinstance(outcome, ScramCredentials)
    return outcome


def test_the_server_side_of_the_example() -> None:
    exchange = server()
    assert exchange.begin(None) == Challenge(b"")
    assert exchange.respond(CLIENT_FIRST) == Challenge(SERVER_FIRST)
    credentials = exchange.respond(CLIENT_FINAL)
    assert isinstance(credentials, ScramCredentials)
    assert credentials.user == "user"
    signature = verifier_of(PASSWORD, SALTING).check(credentials.auth_message, credentials.proof)
    assert signature is not None
    assert server_final(signature) == SERVER_FINAL


@pytest.mark.parametrize(
    ("first", "user"),
    [
        (
            b"y,,n=user,r=abc",
            "user",
        ),  # RFC 5802 §6: it could bind the channel, and thinks that we cannot
        (b"n,a=user,n=user,r=abc", "user"),
        (b"n,,n=a=2Cb=3Dc,r=abc", "a,b=c"),
        (b"n,,n=a=3D2Cb,r=abc", "a=2Cb"),
        (b"n,,n=I\xc2\xadX,r=abc", "IX"),
        (b"n,,n=user,r=abc,x=an=extension", "user"),
    ],
)
def test_first_messages_that_are_taken(first: bytes, user: str) -> None:
    exchange = server()
    assert exchange.begin(first) == Challenge(
        b"r=abc" + SERVER_FIRST[len(b"r=" + CLIENT_NONCE.encode()) :]
    )
    client_final = (
        b"c="
        + base64.b64encode(first[: first.index(b",n=") + 1])
        + b",r=abc"
        + SERVER_NONCE.encode()
    )
    outcome = exchange.respond(client_final + b",p=" + base64.b64encode(bytes(32)))
    assert isinstance(outcome, ScramCredentials)
    assert outcome.user == user


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,",
        b"n,,n=user",
        b"n,,r=abc,n=user",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a b",
        b"n,,n=user,r=" + b"x" * 1025,
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=a\0b,r=abc",
        b"n,,n=a\tb,r=abc",
        b"n,,n=\xc2\xad,r=abc",  # nothing is left of it
        b"n,,m=must,n=user,r=abc",
        b"n,,n=user,r=abc,",
        b"n,,n=user,r=abc,x",
        b"n,a=other,n=user,r=abc",
        b"n,user,n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"p,,n=user,r=abc",
        b"x,,n=user,r=abc",
    ],
)
def test_first_messages_that_are_refused(first: bytes) -> None:
    with pytest.raises(BadResponse):
        server().begin(first)


@pytest.mark.parametrize(
    "final",
    [
        b"",
        CLIENT_FINAL.partition(b",p=")[0],
        CLIENT_FINAL.replace(
            b"biws", b"eSws"
        ),  # it said n before: somebody between us has changed that
        CLIENT_FINAL.replace(b"biws", b"!"),
        CLIENT_FINAL.replace(b"rOpr", b"rOpq"),
        CLIENT_FINAL.replace(b"$k0", b"$k1"),
        CLIENT_FINAL.replace(b"dHzb", b""),
        CLIENT_FINAL.replace(b"dHzb", b"\xc3\xa4"),
        CLIENT_FINAL.replace(b",p=", b",,p="),
        CLIENT_FINAL + b",x=behind",
        b"\xff",
    ],
)
def test_final_messages_that_are_refused(final: bytes) -> None:
    with pytest.raises(BadResponse):
        exchanged(CLIENT_FIRST, final)


def test_an_extension_of_the_final_message_is_signed_and_passed_over() -> None:
    final = CLIENT_FINAL.replace(b",p=", b",x=more,p=")
    assert exchanged(CLIENT_FIRST, final).auth_message.endswith(b",x=more")


NAMES: Final = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


@given(NAMES, st.text(), st.binary(min_size=1))
def test_both_sides_agree(user: str, password: str, salt: bytes) -> None:
    """For every name, password and salt."""
    salting = Salting(salt, 1)
    client, exchange = ScramClient(user, CLIENT_NONCE), server(salting)
    challenge = exchange.begin(client.first())
    assert client.take_server_first(challenge.text) == salting
    credentials = exchange.respond(client.final(salted_password(password, salting)))
    assert isinstance(credentials, ScramCredentials)
    assert credentials.user == user
    signature = verifier_of(password, salting).check(credentials.auth_message, credentials.proof)
    assert signature is not None
    client.take_server_final(server_final(signature))


@given(
    st.lists(
        st.sampled_from(
            [b"n", b"y", b"p=", b",", b"=", b"n=", b"r=", b"c=", b"biws", b"\xff", b"a"]
        )
    )
)
def test_whatever_comes_is_read_or_refused(parts: list[bytes]) -> None:
    message = b"".join(parts)
    for first in (message, CLIENT_FIRST):
        exchange = server(FEW)
        try:
            exchange.begin(first)
            exchange.respond(message)
        except BadResponse:
            pass
