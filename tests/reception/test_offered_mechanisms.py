"""The SASL mechanisms that listeners offer."""

import re

from restante.reception.offered_mechanisms import offered_mechanisms
from restante.sasl.mechanism import Challenge
from restante.sasl.scram_keys import Salting

OFFERED = offered_mechanisms("mx2.example", lambda user: Salting(user.encode(), 4096))


def challenge(name: str, initial: bytes | None = None) -> bytes:
    """Begin an exchange and return its challenge."""
    answer = OFFERED[name]().begin(initial)
    assert isinstance(answer, Challenge)
    return answer.text


def test_they_are_offered_in_this_order() -> None:
    assert list(OFFERED) == ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"]


def test_each_exchange_has_its_own_challenge() -> None:
    challenges = {challenge("CRAM-MD5") for _ in range(100)}
    assert len(challenges) == 100
    for each in challenges:  # RFC 2195 §2: the form of a Message-ID
        assert re.fullmatch(rb"<[0-9a-f]{24}\.[0-9]+@mx2\.example>", each)


def test_each_scram_exchange_has_its_own_nonce_and_the_salt_of_its_user() -> None:
    firsts = {challenge("SCRAM-SHA-256", b"n,,n=anna,r=abc") for _ in range(100)}
    assert len(firsts) == 100
    for first in firsts:
        assert re.fullmatch(rb"r=abc[!-~]{20,},s=YW5uYQ==,i=4096", first)
