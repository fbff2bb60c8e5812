"""Content codecs: what ends DATA and what does not, and that nothing is changed on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.smtp.content import ChunkDecoder, DataDecoder, DataEncoder, has_bare_newline, normalize_newlines

# Each has ended DATA on some server, and so let one message smuggle in a second.
NO_END_OF_DATA = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
]
troublesome = st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"a", b"\0", b"\r\n", b"\r\n.", b"\r\n.\r\n"]), max_size=16
).map(b"".join)
slices = st.lists(st.integers(min_value=1, max_value=5), max_size=40)


def cut(data: bytes, lengths: list[int]) -> list[bytes]:
    """Cut data into pieces of the given lengths, the rest in one."""
    pieces, place = [], 0
    for length in lengths:
        pieces.append(data[place : place + length])
        place += length
    return [piece for piece in [*pieces, data[place:]] if piece]


def decode(pieces: list[bytes]) -> tuple[bytes, DataDecoder, bytes]:
    decoder, content, behind = DataDecoder(), b"", b""
    for piece in pieces:
        if decoder.is_complete:
            behind += piece
        else:
            content += decoder.receive(piece)
    return content, decoder, decoder.surplus + behind


@pytest.mark.parametrize("sequence", NO_END_OF_DATA)
def test_only_crlf_dot_crlf_ends_data_however_it_is_cut(sequence: bytes) -> None:
    stream = b"Subject: x\r\n\r\nbody" + sequence + b"MAIL FROM:<evil@a.example>\r\n"
    for place in range(1, len(stream)):
        _, decoder, _ = decode([stream[:place], stream[place:]])
        assert not decoder.is_complete


@pytest.mark.parametrize("sequence", NO_END_OF_DATA)
def test_what_looks_like_an_end_never_leaves_us_as_one(sequence: bytes) -> None:
    content, decoder, _ = decode([b"body" + sequence + b"rest\r\n.\r\n"])
    assert decoder.is_complete
    sent = DataEncoder().encode(content)
    assert b"\r\n.\r\n" not in b"\r\n" + sent
    assert not has_bare_newline(sent)


@given(troublesome, slices, slices)
def test_content_comes_through_byte_for_byte(content: bytes, cuts: list[int], recuts: list[int]) -> None:
    content = normalize_newlines(content)
    encoder = DataEncoder()
    wire = b"".join(encoder.encode(piece) for piece in cut(content, cuts)) + encoder.finish()
    received, decoder, surplus = decode(cut(wire + b"QUIT\r\n", recuts))
    assert decoder.is_complete
    assert surplus == b"QUIT\r\n"
    assert received == (content if not content or content.endswith(b"\r\n") else content + b"\r\n")


@given(troublesome, slices)
def test_slicing_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    whole, sliced = decode([stream]), decode(cut(stream, cuts))
    assert whole[0] == sliced[0]
    assert whole[1].is_complete == sliced[1].is_complete
    assert whole[2] == sliced[2]


@given(troublesome)
def test_normalizing_leaves_no_bare_newline_and_is_done_once(content: bytes) -> None:
    normal = normalize_newlines(content)
    assert not has_bare_newline(normal)
    assert normalize_newlines(normal) == normal


@given(troublesome, slices)
def test_chunks_are_normalized_whatever_their_cut(content: bytes, cuts: list[int]) -> None:
    decoder, received = ChunkDecoder(), b""
    for piece in cut(content, cuts):
        received += decoder.receive(piece, is_last=False)
    received += decoder.receive(b"", is_last=True)
    assert received == normalize_newlines(content)


def test_an_empty_message() -> None:
    content, decoder, surplus = decode([b".\r\nNOOP\r\n"])
    assert (content, decoder.is_complete, surplus) == (b"", True, b"NOOP\r\n")
    assert DataEncoder().finish() == b".\r\n"
