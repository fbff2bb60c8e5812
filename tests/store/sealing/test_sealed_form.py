"""Sealed content opens where it belongs, and nowhere else; no octet of it can change."""

import itertools

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.sealed_size import CHUNK, TAG, plain_head_octets, sealed_file_octets
from restante.store.sealing.sealed_form import (
    FileOpener,
    FileSealer,
    new_key,
    open_beginning,
    open_head,
    seal_head,
    sealed_beginning,
)
from restante.tenancy.sealed_secrets import SealBroken

ONE, OTHER = AESGCM(bytes(32)), AESGCM(b"\1" * 32)
KEY = b"\2" * 32
SALT = b"\0\1\2\3"
SEALED_CHUNK = CHUNK + TAG


def sealed_file(content: bytes, *places: int, key: bytes = KEY) -> bytes:
    """Seal content that comes in pieces, cut at these places."""
    sealer = FileSealer(key)
    cuts = [0, *sorted(places), len(content)]
    pieces = [content[one:other] for one, other in itertools.pairwise(cuts)]
    return b"".join([sealer.add(piece) for piece in pieces]) + sealer.end()


def opened_file(sealed: bytes, *places: int, key: bytes = KEY) -> bytes:
    """Open a file that comes in pieces, cut at these places."""
    opener = FileOpener(key)
    cuts = [0, *sorted(places), len(sealed)]
    pieces = [sealed[one:other] for one, other in itertools.pairwise(cuts)]
    return b"".join([opener.add(piece) for piece in pieces]) + opener.end()


def content_of(octets: int) -> bytes:
    """Return content in which every place is known by its octets."""
    return b"".join(number.to_bytes(4) for number in range(octets // 4 + 1))[:octets]


def test_each_key_is_new() -> None:
    assert len(new_key()) == 32
    assert new_key() != new_key()


# --- heads


@given(st.binary(max_size=300), st.booleans(), st.integers(0, 2**63 - 1))
def test_a_head_opens_as_it_was(head: bytes, has_file: bool, number: int) -> None:
    file_key = KEY if has_file else b""
    sealed = seal_head(ONE, number, head, file_key, salt=SALT)
    assert open_head(ONE, number, sealed, has_file=has_file) == (head, file_key)
    assert plain_head_octets(len(sealed), has_file=has_file) == len(head)


def test_the_same_head_is_never_sealed_alike() -> None:
    assert seal_head(ONE, 1, b"head", salt=SALT) != seal_head(ONE, 1, b"head", salt=b"salt")


@pytest.mark.parametrize("has_file", [False, True])
def test_a_head_opens_for_its_message_and_domain_only(has_file: bool) -> None:
    sealed = seal_head(ONE, 7, b"head", KEY if has_file else b"", salt=SALT)
    for key, number, with_file in (
        (OTHER, 7, has_file),
        (ONE, 8, has_file),
        (ONE, 7, not has_file),
    ):
        with pytest.raises(SealBroken):
            open_head(key, number, sealed, has_file=with_file)


@given(st.data())
def test_a_head_that_was_changed_or_cut_does_not_open(data: st.DataObject) -> None:
    sealed = seal_head(ONE, 7, b"a head of some octets", salt=SALT)
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    for wrong in (bytes(changed), sealed[:place]):
        with pytest.raises(SealBroken):
            open_head(ONE, 7, wrong, has_file=False)


# --- files

SIZES = st.one_of(
    st.integers(0, 200), *(st.integers(n * CHUNK - 2, n * CHUNK + 2) for n in range(1, 4))
)


@given(SIZES, st.data())
def test_a_file_opens_as_it_was_however_it_is_cut(octets: int, data: st.DataObject) -> None:
    content = content_of(octets)
    cuts = st.lists(st.integers(0, octets), max_size=4)
    sealed = sealed_file(content, *data.draw(cuts))
    assert len(sealed) == sealed_file_octets(octets)
    cuts = st.lists(st.integers(0, len(sealed)), max_size=4)
    assert opened_file(sealed, *data.draw(cuts)) == content


@given(SIZES, st.data())
def test_a_file_that_was_changed_does_not_open(octets: int, data: st.DataObject) -> None:
    sealed = sealed_file(content_of(octets))
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = bytearray(sealed)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        opened_file(bytes(changed))


@given(SIZES, st.data())
def test_a_file_that_was_cut_does_not_open(octets: int, data: st.DataObject) -> None:
    sealed = sealed_file(content_of(octets))
    whole_chunks = st.integers(0, (len(sealed) - 1) // SEALED_CHUNK).map(lambda n: n * SEALED_CHUNK)
    left = data.draw(st.one_of(whole_chunks, st.integers(0, len(sealed) - 1)))
    with pytest.raises(SealBroken):
        opened_file(sealed[:left])


def test_chunks_in_another_order_or_twice_do_not_open() -> None:
    sealed = sealed_file(content_of(3 * CHUNK))
    one, two, last = (
        sealed[start : start + SEALED_CHUNK] for start in range(0, len(sealed), SEALED_CHUNK)
    )
    for wrong in (
        two + one + last,
        one + one + two + last,
        one + last,
        one + two + last + last,
        sealed + sealed,
    ):
        with pytest.raises(SealBroken):
            opened_file(wrong)


def test_a_chunk_of_another_file_does_not_open() -> None:
    content = content_of(2 * CHUNK)
    here, there = sealed_file(content), sealed_file(content, key=b"\3" * 32)
    with pytest.raises(SealBroken):
        opened_file(here[:SEALED_CHUNK] + there[SEALED_CHUNK:])
    with pytest.raises(SealBroken):
        opened_file(here, key=b"\3" * 32)


def test_a_sealer_keeps_a_chunk_at_most() -> None:
    sealer, given, sealed = FileSealer(KEY), 0, 0
    for _ in range(50):
        sealed += len(sealer.add(b"x" * 65_536))
        given += 65_536
        assert given - sealed <= CHUNK
    assert sealed + len(sealer.end()) == sealed_file_octets(given)


@pytest.mark.parametrize("octets", [0, 1, 100, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK])
@pytest.mark.parametrize("wanted", [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_a_beginning_opens_alone(octets: int, wanted: int) -> None:
    content = content_of(octets)
    read = sealed_file(content)[: sealed_beginning(wanted)]
    assert open_beginning(KEY, read, wanted) == content[:wanted]
    with pytest.raises(SealBroken):
        open_beginning(b"\3" * 32, read, wanted)
