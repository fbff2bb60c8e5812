"""The headers of the PROXY protocol and the XCLIENT commands that a simulated primary reads."""

import pytest

from tests.simulation.told_clients import NO_HEADER, read_proxy_header, xclient_address

START = b"\r\n\r\n\x00\r\nQUIT\n"
IPV4 = START + bytes.fromhex("2111000c cb007501 c6336401 8000 0019")
IPV6 = START + bytes.fromhex("21210024 20010db8") + bytes(11) + b"\x01" + bytes(20)


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (START + bytes.fromhex("20000000"), ("", 16)),
        (IPV4 + b"more", ("203.0.117.1", 28)),
        (IPV6, ("2001:db8::1", 52)),
        (START[:5], None),
        (START + b"\x21", None),
        (IPV4[:-1], None),
        (IPV6[:-1], None),
        (b"EHLO mx.example\r\n", NO_HEADER),
        (START + bytes.fromhex("21310000"), NO_HEADER),  # a socket of UNIX
        (START + bytes.fromhex("21110024"), NO_HEADER),  # a length that does not fit
    ],
)
def test_a_header_is_read(octets: bytes, found: tuple[str, int] | None) -> None:
    assert read_proxy_header(octets) == found


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("XCLIENT NAME=[TEMPUNAVAIL] ADDR=203.0.117.1 PORT=25 HELO=a.example", "203.0.117.1"),
        ("XCLIENT ADDR=IPV6:2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_of_an_xclient_is_read(line: str, address: str) -> None:
    assert xclient_address(line) == address
