"""The keys of SCRAM: verifiers in text, proofs, and signatures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.scram_keys import (
    KEY_OCTETS,
    Salting,
    client_proof,
    new_verifier,
    read_verifier,
    salted_password,
    server_signature,
    verifier_of,
)
from tests.sasl.rfc7677 import (
    CLIENT_FINAL,
    CLIENT_FIRST,
    PASSWORD,
    PROOF,
    SALTING,
    SERVER_FIRST,
    SIGNATURE,
)

AUTH_MESSAGE = b",".join(
    (CLIENT_FIRST.removeprefix(b"n,,"), SERVER_FIRST, CLIENT_FINAL.partition(b",p=")[0])
)


def test_the_proofs_of_the_example() -> None:
    salted = salted_password(PASSWORD, SALTING)
    assert client_proof(salted, AUTH_MESSAGE) == PROOF
    assert server_signature(salted, AUTH_MESSAGE) == SIGNATURE
    assert verifier_of(PASSWORD, SALTING).check(AUTH_MESSAGE, PROOF) == SIGNATURE


def test_a_wrong_password_proves_nothing() -> None:
    assert verifier_of("pencils", SALTING).check(AUTH_MESSAGE, PROOF) is None


@given(st.binary(min_size=KEY_OCTETS, max_size=KEY_OCTETS))
def test_only_one_proof_is_right(proof: bytes) -> None:
    verifier = verifier_of(PASSWORD, Salting(b"salt", 1))
    right = client_proof(salted_password(PASSWORD, verifier.salting), AUTH_MESSAGE)
    assert (verifier.check(AUTH_MESSAGE, proof) is None) == (proof != right)


def test_a_verifier_shows_no_key() -> None:
    verifier = new_verifier(PASSWORD)
    assert repr(verifier) == f"ScramVerifier(salting={verifier.salting!r})"


def test_a_verifier_comes_back_as_it_was() -> None:
    verifier = new_verifier(PASSWORD)
    assert read_verifier(verifier.text) == verifier
    assert verifier.salting.iterations >= 4096  # RFC 7677 §4
    assert new_verifier(PASSWORD).salting != verifier.salting


@pytest.mark.parametrize(
    "text", ["", "SCRAM-SHA-1$1:eA==$eA==:eA==", "SCRAM-SHA-256$x:eA==$eA==:eA=="]
)
def test_an_invalid_verifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_verifier(text)
