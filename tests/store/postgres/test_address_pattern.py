"""Only texts that PostgreSQL reads as an address match."""

import ipaddress
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restante.store.postgres.address_pattern import ADDRESS_PATTERN

NEARLY = st.text("0123456789abcdef:.:::", max_size=45)


@given(st.ip_addresses())
@example(ipaddress.ip_address("::"))
@example(ipaddress.ip_address("::1"))
@example(ipaddress.ip_address("1::"))
@example(ipaddress.ip_address("1:2:3:4:5:6:7::"))
@example(ipaddress.ip_address("::2:3:4:5:6:7:8"))
@example(ipaddress.ip_address("255.255.255.255"))
@example(ipaddress.ip_address("::ffff:192.0.2.1"))  # spelled in another way since Python 3.13
def test_each_address_matches(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert re.match(ADDRESS_PATTERN, str(address))


@given(NEARLY)
@example("1:2:3:4:5:6:7:8::")
@example("1::2::3")
@example("256.1.1.1")
@example("01.1.1.1")
@example("1:2")
@example("::ffff:192.0.2.1")
@example("::ffff:192.0.2.256")
@example("::1:192.0.2.1")
@example(":")
@example("")
def test_all_that_matches_is_an_address(text: str) -> None:
    if re.match(ADDRESS_PATTERN, text):
        ipaddress.ip_address(text)


@pytest.mark.parametrize("text", ["192.0.2.1\n", "192.0.2.1/24", "fe80::1%eth0", "1.2.3"])
def test_no_other_text_matches(text: str) -> None:
    assert not re.fullmatch(ADDRESS_PATTERN.strip("^$"), text)
