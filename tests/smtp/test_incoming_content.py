"""Incoming content: DATA, a chunk, or octets to discard, up to their end and no further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.smtp import replies
from restante.smtp.content import ChunkDecoder
from restante.smtp.incoming_content import (
    IncomingChunk,
    IncomingContent,
    IncomingData,
    RefusedChunk,
)

END = b"\r\n.\r\n"


def read(incoming: IncomingContent, stream: bytes, cut: int) -> tuple[bytes, bytes]:
    """Give a stream in two pieces; return the content, and the octets behind it."""
    rest = incoming.take(stream[:cut])
    content = incoming.block
    if incoming.is_complete:
        return content, rest + stream[cut:]
    assert rest == b""
    rest = incoming.take(stream[cut:])
    return content + incoming.block, rest


cuts = st.integers(0, 40)


@given(cuts)
def test_data_ends_at_its_mark(cut: int) -> None:
    data = IncomingData(1000)
    assert read(data, b"a\r\n..b" + END + b"QUIT\r\n", cut) == (b"a\r\n.b\r\n", b"QUIT\r\n")
    assert data.is_complete
    assert data.refusal is None
    assert (data.found_bare_newline, data.found_nul) == (False, False)


@pytest.mark.parametrize(("limit", "is_refused"), [(5, False), (4, True), (0, True)])
def test_data_above_the_limit_is_read_to_its_end(limit: int, *, is_refused: bool) -> None:
    data = IncomingData(limit)
    assert data.take(b"abc" + END + b"RSET\r\n") == b"RSET\r\n"
    assert data.is_complete
    assert data.refusal == (replies.MESSAGE_TOO_LARGE if is_refused else None)
    assert data.block == (b"" if is_refused else b"abc\r\n")


def test_nuls_count_against_the_limit() -> None:
    data = IncomingData(10)
    data.take(b"\0" * 11)
    assert data.refusal == replies.MESSAGE_TOO_LARGE


@pytest.mark.parametrize(
    ("octets", "has_bare_newline", "has_nul"),
    [(b"a\nb", True, False), (b"a\rb", True, False), (b"a\0b", False, True), (b"ab", False, False)],
)
def test_flaws_are_found(octets: bytes, *, has_bare_newline: bool, has_nul: bool) -> None:
    data = IncomingData(1000)
    data.take(octets + END)
    chunk = IncomingChunk(len(octets), ChunkDecoder(), is_last=True)
    chunk.take(octets)
    for incoming in (data, chunk):
        assert (incoming.found_bare_newline, incoming.found_nul) == (has_bare_newline, has_nul)


@given(st.integers(0, 9), cuts)
def test_a_chunk_ends_by_its_count(octets: int, cut: int) -> None:
    stream = b"x" * octets + END + b"MAIL FROM:<>\r\n"
    chunk = IncomingChunk(octets, ChunkDecoder(), is_last=False)
    refused = RefusedChunk(octets, replies.BAD_SEQUENCE)
    rest = stream[octets:]
    assert read(chunk, stream, cut) == (b"x" * octets, rest)
    assert read(refused, stream, cut) == (b"", rest)
    assert refused.refusal == replies.BAD_SEQUENCE


def test_the_last_chunk_ends_a_line_that_was_cut() -> None:
    decoder = ChunkDecoder()
    first = IncomingChunk(2, decoder, is_last=False)
    first.take(b"a\r")
    last = IncomingChunk(1, decoder, is_last=True)
    last.take(b"\n")
    assert first.block + last.block == b"a\r\n"
