"""Which messages go in the name of their client, and in which name."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.smtp.passed_client import PassedClient, passed_client

ORIGIN = MessageOrigin("198.51.100.7", 40000, "out.a.example")


def test_mail_of_unknown_origin_has_no_client() -> None:
    assert passed_client(None) is None


def test_an_origin_that_an_import_claims_is_no_client() -> None:
    assert passed_client(ORIGIN) is not None
    assert passed_client(ORIGIN._replace(is_imported=True)) is None


@pytest.mark.parametrize(
    "address",
    [
        *("", "mail.a.example", "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1"),
        *("172.16.0.1", "192.168.1.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1"),
        *("fe80::1%eth0", "::", "ff02::1", "::ffff:10.1.2.3", "64:ff9b::a00:1"),
    ],
)
def test_an_address_that_is_another_host_elsewhere_is_no_client(address: str) -> None:
    assert passed_client(ORIGIN._replace(address=address)) is None


def test_an_address_of_ipv4_in_ipv6_is_the_same_client() -> None:
    assert passed_client(ORIGIN._replace(address="::ffff:198.51.100.7")) == passed_client(ORIGIN)


def test_clients_differ_by_address_name_and_greeting_and_not_by_port() -> None:
    client = passed_client(ORIGIN)
    assert client == passed_client(ORIGIN._replace(port=1))
    others = [
        ORIGIN._replace(address="198.51.100.8"),
        ORIGIN._replace(hello="b.example"),
        ORIGIN._replace(host_name="out.a.example", ptr=PtrStatus.CONFIRMED),
        ORIGIN._replace(ptr=PtrStatus.FAILED),
    ]
    assert len({client, *map(passed_client, others)}) == 5


@pytest.mark.parametrize(
    ("address", "hello", "word"),
    [
        ("198.51.100.7", "", "[198.51.100.7]"),
        ("2001:db8::7", "", "[IPv6:2001:db8::7]"),
        ("198.51.100.7", "a b\tc", "a?b?c"),
        ("198.51.100.7", "x\r\nMAIL", "x??MAIL"),
        ("198.51.100.7", "größe.example", "gr??e.example"),
    ],
)
def test_the_greeting_is_one_word(address: str, hello: str, word: str) -> None:
    client = passed_client(ORIGIN._replace(address=address, hello=hello))
    assert client is not None
    assert client.hello == word


@given(st.text())
def test_no_greeting_ends_a_word_or_a_line(hello: str) -> None:
    client = passed_client(ORIGIN._replace(hello=hello))
    assert client is not None
    assert client.hello.isascii()
    assert client.hello.split() == [client.hello]
    assert client.hello.isprintable()


@pytest.mark.parametrize("name", ["a b", "a\r\nb", "-", "a..b", "a" * 300, "[UNAVAILABLE]", "é"])
def test_a_name_of_dns_that_is_no_host_name_is_none(name: str) -> None:
    client = passed_client(ORIGIN._replace(host_name=name, ptr=PtrStatus.CONFIRMED))
    assert client == PassedClient(
        ipaddress.ip_address("198.51.100.7"), "out.a.example", "", PtrStatus.CONFIRMED
    )
