"""Content codecs: the end of DATA, sequences that do not end it, and unchanged content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.smtp.content import ChunkDecoder, DataDecoder, DataEncoder, has_bare_newline
from tests.smtp.reference import ended, normalized

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
    b"\r\0\n.\r\n",
    b"\r\n.\r\0\n",
    b"\0\r\n\0\0.\0\r\0\n\0",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
]
troublesome = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b".", b"a", b"\0", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"\r\0\n", b"\0" * 3]
    ),
    max_size=16,
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
def test_content_that_looks_like_an_end_never_leaves_as_one(sequence: bytes) -> None:
    content, decoder, _ = decode([b"body" + sequence + b"rest\r\n.\r\n"])
    assert decoder.is_complete
    sent = DataEncoder().encode(content)
    assert b"\r\n.\r\n" not in b"\r\n" + sent
    assert not has_bare_newline(sent)
    assert b"\0" not in sent


@given(troublesome, slices, slices)
def test_content_comes_through_byte_for_byte(
    content: bytes, cuts: list[int], recuts: list[int]
) -> None:
    content = normalized(content)
    encoder = DataEncoder()
    wire = b"".join(encoder.encode(piece) for piece in cut(content, cuts)) + encoder.finish()
    received, decoder, surplus = decode(cut(wire + b"QUIT\r\n", recuts))
    assert decoder.is_complete
    assert surplus == b"QUIT\r\n"
    assert received == ended(content)


@given(troublesome, slices)
def test_slicing_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    whole, sliced = decode([stream]), decode(cut(stream, cuts))
    assert whole[0] == sliced[0]
    assert whole[1].is_complete == sliced[1].is_complete
    assert whole[1].nuls == sliced[1].nuls
    assert whole[1].found_bare_newline == sliced[1].found_bare_newline
    assert whole[2] == sliced[2]


def one_stands_alone(block: bytes) -> bool:
    """Find it in the plain way."""
    rest = block.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


@given(troublesome, st.integers(0, 3000), st.binary(max_size=20))
def test_a_newline_that_stands_alone_is_found_wherever_it_is(
    content: bytes, lines: int, other: bytes
) -> None:
    clean = b"a line of the usual length, more or less\xff\t\0\r\n" * lines
    for block in (content, clean, clean + content, content + clean, clean + other + clean):
        assert has_bare_newline(block) is one_stands_alone(block)


@given(troublesome, slices)
def test_chunks_are_cleaned_whatever_their_cut(content: bytes, cuts: list[int]) -> None:
    decoder, received = ChunkDecoder(), b""
    for piece in cut(content, cuts):
        received += decoder.receive(piece, is_last=False)
    received += decoder.receive(b"", is_last=True)
    assert received == normalized(content)
    assert decoder.nuls == content.count(b"\0")


@given(troublesome, slices, st.booleans())
def test_cleaned_content_has_no_bare_newline_and_no_nul_and_cleaning_is_idempotent(
    content: bytes, cuts: list[int], by_bdat: bool
) -> None:
    once = (
        ChunkDecoder().receive(content, is_last=True)
        if by_bdat
        else decode(cut(content + b"\r\n.\r\n", cuts))[0]
    )
    assert not has_bare_newline(once)
    assert b"\0" not in once
    again = ChunkDecoder()
    assert again.receive(once, is_last=True) == once
    assert (again.found_bare_newline, again.nuls) == (False, 0)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"a\0b", b"ab"),
        (b"\0\0", b""),
        (b"a\r\0\nb", b"a\r\n\r\nb"),  # two bare newlines, not one line end
        (b"a\r\n\0.b", b"a\r\n.b"),  # not stuffed: the dot was not first in the line
        (b"a\r\n..\0b", b"a\r\n.b"),
        (b"a\r\n.\0\r\nb", b"a\r\n\r\nb"),
    ],
)
def test_nuls_go_and_take_nothing_with_them(sent: bytes, kept: bytes) -> None:
    stream = sent + b"\r\n.\r\n"
    for place in range(len(stream)):
        content, decoder, _ = decode([piece for piece in (stream[:place], stream[place:]) if piece])
        assert decoder.is_complete
        assert content == kept + b"\r\n"


def test_an_empty_message() -> None:
    content, decoder, surplus = decode([b".\r\nNOOP\r\n"])
    assert (content, decoder.is_complete, surplus) == (b"", True, b"NOOP\r\n")
    assert DataEncoder().finish() == b".\r\n"
