"""Whose name a client says."""

from ipaddress import ip_address

import pytest

from restante.mail.own_names import is_our_name, other_names
from restante.mail.received_field import SessionFacts, received_field

HOSTNAME = "mx2.xn--bcher-kva.example"
OURS = (ip_address("203.0.113.2"), ip_address("2001:db8::2"))
STRANGER = ip_address("198.51.100.66")


@pytest.mark.parametrize(
    ("hello", "is_ours"),
    [
        (HOSTNAME, True),
        ("MX2.XN--BCHER-KVA.EXAMPLE", True),
        (f"{HOSTNAME}.", True),
        (f"{HOSTNAME}..", True),
        ("mx2.b\u00fccher.example", True),
        ("MX2.B\u00dcCHER.EXAMPLE.", True),
        (f"[{HOSTNAME}]", True),
        ("[203.0.113.2]", True),
        ("203.0.113.2", True),
        ("[IPv6:2001:db8::2]", True),
        ("[ipv6:2001:0DB8:0::2]", True),
        ("2001:db8::2", True),
        ("[IPv6:::ffff:203.0.113.2]", True),
        ("[127.0.0.1]", True),
        ("[127.9.9.9]", True),
        ("[IPv6:::1]", True),
        ("[0.0.0.0]", True),
        ("::", True),
        ("mx.xn--bcher-kva.example", False),
        (f"x.{HOSTNAME}", False),
        ("[198.51.100.66]", False),
        ("[IPv6:2001:db8::3]", False),
        ("a b", False),
        ("[", False),
        (".", False),
    ],
)
def test_our_names(hello: str, *, is_ours: bool) -> None:
    assert is_our_name(hello, HOSTNAME, lambda: OURS) is is_ours


@pytest.mark.parametrize(
    ("hello", "is_ours"),
    [
        ("mx2", True),
        ("MX2.", True),
        ("[mx2]", True),
        ("backup.example.net", True),
        ("Backup.Example.NET.", True),
        ("mx3", False),
        ("mail.example.org", False),
        ("backup", False),
    ],
)
def test_the_first_label_and_certified_names_are_ours_too(hello: str, *, is_ours: bool) -> None:
    names = other_names(HOSTNAME, ["backup.example.net", "*.example.org"])
    assert is_our_name(hello, HOSTNAME, lambda: OURS, names) is is_ours


def field_of(name: str, *, has_our_name: bool = False, address: str = "198.51.100.66") -> bytes:
    origin = SessionFacts(name, address, is_extended=True, tls="", has_our_name=has_our_name)
    field = received_field(
        origin, by=HOSTNAME, name="n", only_recipient="", at=0, is_smtputf8=False
    )
    return field.split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("c.example", b"Received: from c.example ([198.51.100.66])"),
        ("[192.0.2.1]", b"Received: from [192.0.2.1] ([198.51.100.66])"),
        ("FE80::1", b"Received: from [198.51.100.66] (helo=FE80::1)"),
        ("mx2 by mx2", b"Received: from [198.51.100.66] (helo=mx2?by?mx2)"),
        ("x) by mx2 (y", b"Received: from [198.51.100.66] (helo=x??by?mx2??y)"),
        ("x\\", b"Received: from [198.51.100.66] (helo=x?)"),
        ("b\u00fccher\t\u2028", b"Received: from [198.51.100.66] (helo=b?cher??)"),
    ],
)
def test_a_name_that_is_none_does_not_stand_where_filters_look_for_the_host(
    name: str, line: bytes
) -> None:
    assert field_of(name) == line


def test_our_own_name_does_not_either() -> None:
    ours = field_of("MX2", has_our_name=True)
    assert ours == b"Received: from [198.51.100.66] (helo=MX2)"
    assert field_of("MX2", has_our_name=True, address="2001:db8::66").startswith(
        b"Received: from [IPv6:2001:db8::66] (helo="
    )
