"""Lines from a stream: only CRLF ends one, and none may be too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.smtp import replies
from restante.smtp.limits import AUTH_OCTETS, COMMAND_OCTETS
from restante.smtp.lines import LineBuffer
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import Reply


def taken(*pieces: bytes, is_authenticating: bool = False) -> list[bytes | Reply]:
    """Return the lines of a stream in these pieces; a refused one as its reply."""
    buffer = LineBuffer()
    found: list[bytes | Reply] = []
    for piece in pieces:
        buffer.receive(piece)
        while True:
            try:
                line = buffer.take_line(is_authenticating=is_authenticating)
            except CommandRefused as refused:
                found.append(refused.reply)
            else:
                if line is None:
                    break
                found.append(line)
    return found


LONGEST = b"x" * (COMMAND_OCTETS - 2)
LONGEST_AUTH = b"x" * (AUTH_OCTETS - 2)
TOO_LONG, BARE = replies.LINE_TOO_LONG, replies.BAD_CHARACTER


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (b"NOOP", []),
        (b"NOOP\r", []),
        (b"NOOP\r\n", [b"NOOP"]),
        (b"\r\n", [b""]),
        (b"A\r\nB\r\nC", [b"A", b"B"]),
        (b"A\nB\r\n", [BARE, b"B"]),
        (b"A\rB\r\n", [b"A\rB"]),  # the parser of commands refuses it
        (LONGEST + b"\r\nA\r\n", [LONGEST, b"A"]),
        (LONGEST + b"x\r\nA\r\n", [TOO_LONG, b"A"]),
        (LONGEST * 9 + b"\r\nA\r\n", [TOO_LONG, b"A"]),
        (LONGEST * 9, []),
        (b"AUTH " + LONGEST_AUTH[5:] + b"\r\n", [b"AUTH " + LONGEST_AUTH[5:]]),
        (b"AUTH " + LONGEST_AUTH + b"\r\n", [TOO_LONG]),
    ],
)
def test_lines_are_taken_however_they_are_cut(stream: bytes, lines: list[bytes | Reply]) -> None:
    assert taken(stream) == lines
    assert taken(*(stream[place : place + 1] for place in range(len(stream)))) == lines


def test_a_response_of_auth_may_be_longer() -> None:
    assert taken(LONGEST_AUTH + b"\r\n", is_authenticating=True) == [LONGEST_AUTH]
    assert taken(LONGEST_AUTH + b"x\r\n", is_authenticating=True) == [replies.AUTH_LINE_TOO_LONG]


@given(st.lists(st.sampled_from([b"A", b"\r", b"\n", b"\r\n", LONGEST, b"AUTH "])), st.data())
def test_the_cut_of_a_stream_changes_nothing(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cut = data.draw(st.integers(0, len(stream)))
    assert taken(stream[:cut], stream[cut:]) == taken(stream)


def test_an_endless_line_is_not_kept() -> None:
    buffer = LineBuffer()
    for _ in range(100):
        buffer.receive(LONGEST)
        assert buffer.take_line(is_authenticating=False) is None
        assert len(buffer.octets) <= COMMAND_OCTETS


def test_the_beginning_of_a_refused_line_is_known() -> None:
    buffer = LineBuffer()
    buffer.receive(b"GET / HTTP/1.1\nHost: x\r\n")
    with pytest.raises(CommandRefused):
        buffer.take_line(is_authenticating=False)
    assert buffer.refused == b"GET / HTTP/1.1"


def test_a_cleared_buffer_has_nothing() -> None:
    buffer = LineBuffer()
    buffer.receive(LONGEST * 2)
    buffer.take_line(is_authenticating=False)
    buffer.clear()
    buffer.receive(b"NOOP\r\n")
    assert buffer.take_line(is_authenticating=False) == b"NOOP"
