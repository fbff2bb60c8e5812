"""The client side of SCRAM-SHA-256: its messages, and the challenges that it refuses."""

import pytest

from restante.sasl.scram_client import MAX_ITERATIONS, BadChallenge, ScramClient
from restante.sasl.scram_keys import salted_password
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


def test_the_client_side_of_the_example() -> None:
    exchange = ScramClient("user", CLIENT_NONCE)
    assert exchange.first() == CLIENT_FIRST
    assert exchange.take_server_first(SERVER_FIRST) == SALTING
    assert exchange.final(salted_password(PASSWORD, SALTING)) == CLIENT_FINAL
    exchange.take_server_final(SERVER_FINAL)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "cannot be read"),
        (b"e=unknown-user", "cannot be read"),
        (b"m=must," + SERVER_FIRST, "cannot be read"),
        (SERVER_FIRST.replace(b"i=4096", b"i=0"), "cannot be read"),
        (SERVER_FIRST.replace(b"i=4096", b"i=-1"), "cannot be read"),
        (SERVER_FIRST.replace(b"i=4096", b"i=" + b"9" * 5000), "cannot be read"),
        (SERVER_FIRST.replace(b"i=4096", b"i=%d" % (MAX_ITERATIONS + 1)), "iterations"),
        (SERVER_FIRST.replace(b"W22Z", b"!"), "cannot be read"),
        (SERVER_FIRST.replace(b"rOpr", b"rOpq"), "does not match our message"),
        (SERVER_FIRST.replace(SERVER_NONCE.encode(), b""), "does not match our message"),
    ],
)
def test_challenges_that_are_refused(message: bytes, reason: str) -> None:
    with pytest.raises(BadChallenge, match=reason):
        ScramClient("user", CLIENT_NONCE).take_server_first(message)


@pytest.mark.parametrize(
    "message", [b"", b"e=other-error", b"v=", b"v=!", SERVER_FINAL.replace(b"6r", b"7r"), b"\xff"]
)
def test_a_server_that_does_not_know_the_password_is_found_out(message: bytes) -> None:
    exchange = ScramClient("user", CLIENT_NONCE)
    exchange.take_server_first(SERVER_FIRST)
    exchange.final(salted_password(PASSWORD, SALTING))
    with pytest.raises(BadChallenge):
        exchange.take_server_final(message)


def test_a_server_cannot_prove_itself_before_we_have() -> None:
    exchange = ScramClient("user", CLIENT_NONCE)
    with pytest.raises(BadChallenge):
        exchange.take_server_final(SERVER_FINAL)


def test_a_success_without_the_proof_of_the_server_is_refused() -> None:
    exchange = ScramClient("user", CLIENT_NONCE)
    exchange.take_server_first(SERVER_FIRST)
    exchange.final(salted_password(PASSWORD, SALTING))
    with pytest.raises(BadChallenge, match="did not prove"):
        exchange.require_proof()
    exchange.take_server_final(SERVER_FINAL)
    exchange.require_proof()


@pytest.mark.parametrize(
    ("user", "first"),
    [
        ("a,b=c", b"n,,n=a=2Cb=3Dc,r=abc"),
        ("I\u00adX", b"n,,n=IX,r=abc"),
        ("a\tb", b"n,,n=a\tb,r=abc"),  # without a prepared form: as it is
    ],
)
def test_a_user_name_is_prepared_and_its_commas_are_spelled(user: str, first: bytes) -> None:
    assert ScramClient(user, "abc").first() == first
