"""The header of the PROXY protocol, read back by its specification."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.smtp.passed_client import ClientIp, PassedClient
from restante.smtp.proxy_header import LOCAL_HEADER, SIGNATURE, proxy_header

HERE = ipaddress.ip_address("203.0.113.1")
PORTS = st.integers(0, 65535)


def read(header: bytes) -> tuple[str, str, int, int]:
    """Return addresses and ports of a PROXY header, which must be whole."""
    assert header[:12] == SIGNATURE
    version, family, length = struct.unpack("!BBH", header[12:16])
    assert version == 0x21
    octets = {0x11: 4, 0x21: 16}[family]
    assert len(header) == 16 + length == 16 + 2 * octets + 4
    source, target = header[16 : 16 + octets], header[16 + octets : 16 + 2 * octets]
    ports = struct.unpack("!HH", header[-4:])
    return str(ipaddress.ip_address(source)), str(ipaddress.ip_address(target)), *ports


def test_octets_of_a_header_for_ipv4() -> None:
    client = PassedClient(ipaddress.ip_address("198.51.100.7"), "h", port=40000)
    assert proxy_header(client, HERE, 2526).hex(" ") == (
        "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 21 11 00 0c c6 33 64 07 cb 00 71 01 9c 40 09 de"
    )


def test_without_a_client_it_is_local() -> None:
    assert proxy_header(None, HERE, 25) == LOCAL_HEADER
    assert LOCAL_HEADER.hex(" ") == "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 20 00 00 00"


@given(st.ip_addresses(), PORTS, st.ip_addresses(), PORTS)
def test_the_client_comes_back(
    source: ClientIp, source_port: int, target: ClientIp, port: int
) -> None:
    header = proxy_header(PassedClient(source, "h", port=source_port), target, port)
    read_source, read_target, *ports = read(header)
    assert (read_source, ports) == (str(source), [source_port, port])
    if source.version == target.version:
        assert read_target == str(target)


@pytest.mark.parametrize(
    ("client", "target", "told"),
    [("2001:db8::1", "203.0.113.1", "::"), ("198.51.100.7", "2001:db8::2", "0.0.0.0")],
)
def test_over_the_other_family_the_destination_is_unspecified(
    client: str, target: str, told: str
) -> None:
    header = proxy_header(
        PassedClient(ipaddress.ip_address(client), "h"), ipaddress.ip_address(target), 25
    )
    assert read(header)[:2] == (client, told)
