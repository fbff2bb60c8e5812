"""The number of hosts of a message: the fields that count as Received, and others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.received_field import has_more_hops

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
