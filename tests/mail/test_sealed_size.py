"""The octets of sealed content follow from the plain ones, and the other way round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, NewMessage
from restante.mail.sealed_size import (
    CHUNK,
    HEAD_EXTRA,
    TAG,
    plain_file_octets,
    plain_head_octets,
    sealed_file_octets,
)


@given(st.integers(0, 1 << 40))
def test_both_directions_agree(plain: int) -> None:
    assert plain_file_octets(sealed_file_octets(plain)) == plain


@pytest.mark.parametrize(
    ("plain", "tags"), [(0, 1), (1, 1), (CHUNK, 1), (CHUNK + 1, 2), (50 << 20, 1600)]
)
def test_each_chunk_has_a_tag(plain: int, tags: int) -> None:
    assert sealed_file_octets(plain) == plain + TAG * tags


def test_a_head_has_the_key_of_its_file() -> None:
    assert plain_head_octets(HEAD_EXTRA + 5, has_file=False) == 5
    assert plain_head_octets(HEAD_EXTRA + 32 + 5, has_file=True) == 5


def test_the_size_of_a_sealed_message_is_that_of_its_content() -> None:
    small = NewMessage(1, 1, Envelope("", ("a@b.example",)), 1.0, bytes(HEAD_EXTRA + 7))
    assert small._replace(is_sealed=True).size == 7
    file = ContentFile("x", sealed_file_octets(100_000), 0)
    large = small._replace(head=bytes(HEAD_EXTRA + 32 + 7), file=file, is_sealed=True)
    assert large.size == 100_007
