"""A value is good once, in its time, for its purpose, and in every process."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.admin.one_time_seals import OneTimeSeals, octets_of, text_of
from restante.store.memory import MemoryStore
from restante.tenancy.sealed_secrets import Vault

KEY = b"k" * 32


class Clock:
    """A clock that a test sets."""

    now = 1_760_000_000.0


def seals(store: MemoryStore, clock: Clock, key: bytes = KEY) -> OneTimeSeals:
    return OneTimeSeals(Vault(key), store.used, lambda: clock.now)


def test_another_process_opens_it_and_uses_it_up_for_all() -> None:
    async def story() -> None:
        store, clock = MemoryStore(), Clock()
        sealed = seals(store, clock).seal("link", 30.0, "ana@alpha.example x")
        for process in (seals(store, clock), seals(store, clock)):
            value = process.open(sealed, "link")
            assert value is not None
            assert value.text == "ana@alpha.example x"
            assert not await process.was_used(value)
        assert value is not None
        assert await seals(store, clock).use(value)
        assert await process.was_used(value)
        assert not await process.use(value)

    asyncio.run(story())


def test_it_ends_with_its_time() -> None:
    store, clock = MemoryStore(), Clock()
    sealed = seals(store, clock).seal("link", 30.0)
    clock.now += 29.9
    assert seals(store, clock).open(sealed, "link") is not None
    clock.now += 0.1
    assert seals(store, clock).open(sealed, "link") is None


def test_a_clock_that_is_set_back_makes_it_no_older() -> None:
    store, clock = MemoryStore(), Clock()
    sealed = seals(store, clock).seal("link", 30.0)
    clock.now -= 59.0
    assert seals(store, clock).open(sealed, "link") is not None
    clock.now -= 2.0
    assert seals(store, clock).open(sealed, "link") is None


def test_nobody_makes_one_or_uses_it_for_something_else() -> None:
    store, clock = MemoryStore(), Clock()
    sealed = seals(store, clock).seal("confirm a", 30.0, "text")
    own = seals(store, clock)
    assert own.open(sealed, "confirm b") is None
    assert own.open(sealed, "") is None
    assert own.open(b"", "confirm a") is None
    assert own.open(b"x" * 60, "confirm a") is None
    assert seals(store, clock, b"o" * 32).open(sealed, "confirm a") is None
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        assert own.open(bytes(changed), "confirm a") is None


def test_a_seal_opens_nothing_of_the_key_file() -> None:
    """Strangers have many sealed, under a key of its own."""
    store, clock = MemoryStore(), Clock()
    sealed = Vault(KEY).seal("1 1e12 x", "link")
    assert seals(store, clock).open(sealed, "link") is None


@given(st.binary(max_size=3000))
def test_a_value_has_one_spelling_as_text(sealed: bytes) -> None:
    text = text_of(sealed)
    assert octets_of(text) == sealed
    assert octets_of(text + "=") == b""
    assert text.replace("-", "").replace("_", "").isalnum() or not text


@pytest.mark.parametrize("text", ["a", "a b", "é", "A" * 5000, "AB", "AA==", "A+/A"])
def test_other_texts_are_no_value(text: str) -> None:
    assert octets_of(text) == b""


def test_a_former_key_opens_and_makes_none() -> None:
    store, clock = MemoryStore(), Clock()
    rotated = seals(store, clock, b"n" * 32 + KEY)
    assert rotated.open(seals(store, clock).seal("link", 30.0), "link") is None
    assert rotated.open(rotated.seal("link", 30.0), "link") is not None
