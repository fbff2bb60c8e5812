"""The packets of the milter protocol."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.checks.milter_codec import (
    REPLY_LIMIT,
    MilterBroken,
    MilterReply,
    MilterSteps,
    agreed_steps,
    connect,
    header_fields,
    macros,
    offer,
    packet,
    packet_length,
    plain,
    strings,
)


def test_packets_have_their_length_a_letter_and_data() -> None:
    assert packet("Q") == b"\0\0\0\1Q"
    assert packet("H", strings("c.example")) == b"\0\0\0\x0bHc.example\0"
    assert macros("M", [("i", "k"), ("{cipher}", "")]) == b"\0\0\0\6DMi\0k\0"
    assert offer() == b"\0\0\0\x0dO\0\0\0\6\0\0\0\x31\0\x1f\xf7\xff"


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("192.0.2.1", b"c\0" + b"4" + b"\x04\0" + b"192.0.2.1\0"),
        ("2001:db8::1", b"c\0" + b"6" + b"\x04\0" + b"IPv6:2001:db8::1\0"),
    ],
)
def test_the_client_is_told_by_family(address: str, data: bytes) -> None:
    assert connect("c", ip_address(address), 1024)[4:] == b"C" + data


def agreed(version: int, actions: int, steps: int) -> MilterSteps:
    numbers = b"".join(number.to_bytes(4, "big") for number in (version, actions, steps))
    return agreed_steps(MilterReply("O", numbers + b"more"))


def test_a_milter_chooses_among_the_steps() -> None:
    assert agreed(6, 0x11, 0x80010) == MilterSteps.NO_BODY | MilterSteps.SILENT_BODY
    assert agreed(2, 0, 0) == MilterSteps(0)


@pytest.mark.parametrize(
    ("version", "actions", "steps"),
    [
        (7, 0, 0),
        (1, 0, 0),
        (6, 0x02, 0),  # changes the body
        (6, 0x04, 0),  # adds recipients
        (6, 0x08, 0),  # removes them
        (6, 0x40, 0),  # changes the sender
        (6, 0x100, 0),
        (6, 0, 0x800),
        (6, 0, 1 << 28),
    ],
)
def test_one_that_wants_more_is_refused(version: int, actions: int, steps: int) -> None:
    with pytest.raises(MilterBroken):
        agreed(version, actions, steps)


@pytest.mark.parametrize("reply", [MilterReply("c", b""), MilterReply("O", b"\0\0\0\6")])
def test_another_protocol_is_known_as_such(reply: MilterReply) -> None:
    with pytest.raises(MilterBroken, match="does not speak the milter protocol"):
        agreed_steps(reply)


@pytest.mark.parametrize("length", [0, REPLY_LIMIT + 1, 0xFFFFFFFF])
def test_a_packet_is_bounded(length: int) -> None:
    with pytest.raises(MilterBroken):
        packet_length(length.to_bytes(4, "big"))
    assert packet_length((1).to_bytes(4, "big")) == 1


def test_fields_are_told_with_their_continuations() -> None:
    header = b"From a\r\nA: 1\r\n 2\r\n\t3\r\nbroken\r\n folded\r\nB:4\r\nC :\r\n"
    assert list(header_fields(header)) == [(b"A", b" 1\n 2\n\t3"), (b"B", b"4"), (b"C ", b"")]


@given(st.binary())
def test_nothing_of_a_milter_is_kept_that_could_be_another_line(octets: bytes) -> None:
    text = plain(octets)
    assert text.isascii()
    assert text.isprintable()
    assert packet("H", strings(octets)).count(b"\0", 5) == 1
