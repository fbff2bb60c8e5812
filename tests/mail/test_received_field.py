"""The number of hosts of a message: the fields that count as Received, and others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.received_field import (
    OwnFieldCount,
    SessionFacts,
    has_more_hops,
    received_field,
)

RECEIVED = b"Received: from a.example by b.example;\r\n\tSat, 21 Nov 2026 10:00:00 +0000\r\n"


@pytest.mark.parametrize(
    ("content", "hops"),
    [
        (b"", 0),
        (b"\r\n", 0),
        (b"no header at all", 0),
        (RECEIVED, 1),
        (RECEIVED * 3 + b"Subject: x\r\n\r\nbody\r\n", 3),
        (b"Subject: x\r\n" + RECEIVED + b"To: y\r\n" + RECEIVED, 2),
        (b"RECEIVED: x\r\nreceived: x\r\nrEcEiVeD: x\r\n", 3),
        (b"Received : x\r\nReceived\t: x\r\nReceived:x\r\n", 3),  # obs-received
        (b"Received-SPF: pass\r\nX-Received: x\r\nReceived\r\n", 0),
        (b"Received: x\r\n Received: folded\r\n\tReceived: folded\r\n", 1),
        (RECEIVED + b"\r\n" + RECEIVED * 9, 1),  # in the body: a message quoted
        (RECEIVED * 2 + b"Recei", 2),  # cut off
    ],
)
def test_hops_are_counted(content: bytes, hops: int) -> None:
    assert [has_more_hops(content, limit) for limit in range(12)] == [
        hops > limit for limit in range(12)
    ]


_LINES = [
    b"Received: x",
    b"received\t:",
    b"R: x",
    b"r",
    b"\tReceived: x",
    b"Subject: x",
    b"",
    b"Received",
]


@given(st.lists(st.sampled_from(_LINES), max_size=12), st.integers(min_value=0, max_value=12))
def test_it_agrees_with_reading_line_by_line(lines: list[bytes], limit: int) -> None:
    content = b"x: y\r\n" + b"\r\n".join(lines)
    names = []
    for line in lines:
        if not line:
            break
        names.append(line.partition(b":")[0].rstrip().lower() if b":" in line else b"")
    assert has_more_hops(content, limit) is (names.count(b"received") > limit)


def own_field(by: str) -> bytes:
    return received_field(
        SessionFacts("client.example", "192.0.2.1", is_extended=True, tls=""),
        by=by,
        name="abc",
        only_recipient="",
        at=1_760_000_000,
        is_smtputf8=False,
    )


OURS = own_field("mx2.example.net")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", 0),
        (b"Subject: x\r\n\r\n", 0),
        (OURS + b"\r\nbody\r\n", 1),
        (OURS + RECEIVED + OURS + b"Subject: x\r\n\r\n" + OURS * 5, 2),
        (own_field("mx2.example.net.evil.example") + b"\r\n", 0),
        (own_field("amx2.example.net") + b"\r\n", 0),
        (b"X: x\r\n" * 20_000 + OURS, 0),  # beyond the header that is looked at
    ],
)
@pytest.mark.parametrize("octets", [1, 7, 4096, 1 << 20])
def test_our_own_fields_are_counted_in_blocks_of_any_size(
    content: bytes, expected: int, octets: int
) -> None:
    if octets == 1 and len(content) > 10_000:
        octets = 61
    count = OwnFieldCount("mx2.example.net")
    for start in range(0, len(content), octets):
        count.take(content[start : start + octets])
    assert count.found == expected
