"""Clients that verify, and the certificates of this server."""

import time

import pytest

from restante.network.served_certificate import ServedCertificate
from restante.readiness.own_trust import distrust
from tests.network.made_chain import HOST, made, own_certificate, read_certificate

NOW = time.time()
AUTHORITY = [read_certificate(made().authority)]
YEARS = 1100 * 365 * 86_400.0  # a certificate of trustme ends in the year 3000


def served(*chain: bytes, hosts: tuple[str, ...] = (HOST,)) -> ServedCertificate:
    return ServedCertificate(hosts, 0.0, chains=(chain,))


def test_a_chain_to_a_trusted_authority_is_accepted() -> None:
    assert distrust(served(made().leaf), HOST, AUTHORITY, NOW) == ""


@pytest.mark.parametrize(
    ("host", "at", "cause"),
    [
        ("mx.b.example", NOW, "it is not for mx.b.example"),
        (HOST, NOW + YEARS, "its chain ended on "),
        (HOST, 0.0, "its chain is valid from "),
    ],
    ids=["name", "end", "begin"],
)
def test_name_and_dates_count(host: str, at: float, cause: str) -> None:
    found = distrust(served(made().leaf), host, AUTHORITY, at)
    assert found.startswith(cause)


def test_the_authority_counts() -> None:
    other = [read_certificate(made().other)]
    assert "does not end in an authority" in distrust(served(made().leaf), HOST, other, NOW)
    assert distrust(served(own_certificate()), HOST, other, NOW) == "it is signed by itself"


def test_the_certificate_of_each_key_must_be_good() -> None:
    both = ServedCertificate((HOST,), 0.0, chains=((made().leaf,), (own_certificate(),)))
    assert distrust(both, HOST, AUTHORITY, NOW) == "it is signed by itself"


def test_a_certificate_that_cannot_be_read_is_not_accepted() -> None:
    assert distrust(served(b"x"), HOST, AUTHORITY, NOW) == "it cannot be read"
