"""Streams are read back from any cuts. A truncated stream, or another file, is noticed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail import import_stream
from restante.mail.import_stream import (
    WHOLE,
    StreamEnd,
    StreamLabel,
    StreamUnpacker,
    pack_block,
    pack_failure,
    pack_label,
)

STREAMS = st.lists(
    st.tuples(
        st.dictionaries(st.text(), st.text()),
        st.lists(st.binary(max_size=20), max_size=4),
        st.booleans(),
    ),
    max_size=4,
)


def packed(messages: list[tuple[dict[str, str], list[bytes], bool]]) -> bytes:
    return b"".join(
        pack_label(json.dumps(facts))
        + b"".join(map(pack_block, blocks))
        + (WHOLE if whole else pack_failure("a\nb"))
        for facts, blocks, whole in messages
    )


@given(STREAMS, st.integers(1, 7))
def test_packed_mail_is_unpacked(
    messages: list[tuple[dict[str, str], list[bytes], bool]], step: int
) -> None:
    stream, unpacker = packed(messages), StreamUnpacker()
    read: list[tuple[object, bytes, bool]] = []
    content = b""
    for start in range(0, len(stream), step):
        for piece in unpacker.receive(stream[start : start + step]):
            match piece:
                case StreamLabel(facts):
                    label, content = facts, b""
                case StreamEnd(failure):
                    assert failure in ("", "a b")
                    read.append((label, content, not failure))
                case bytes():
                    content += piece
    unpacker.close()
    assert read == [(facts, b"".join(blocks), whole) for facts, blocks, whole in messages]


@given(st.integers(1, 30))
def test_a_stream_that_is_cut_off_is_known(cut: int) -> None:
    stream = packed([({}, [b"abc"], True)])
    unpacker = StreamUnpacker()
    list(unpacker.receive(stream[: min(cut, len(stream) - 1)]))
    with pytest.raises(ValueError, match="ends within"):
        unpacker.close()


@pytest.mark.parametrize(
    "stream", [b"[]\n", b"{\n", b"{}\nxyz\n", b"{}\n-1\n", b"\xff\n", b"[" * 100_000 + b"\n"]
)
def test_data_that_is_no_stream_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each in its own words
        list(StreamUnpacker().receive(stream))


def test_a_label_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_stream, "MAX_LABEL", 10)
    with pytest.raises(ValueError, match="longer"):
        list(StreamUnpacker().receive(b'{"a": "long'))
