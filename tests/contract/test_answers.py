"""Answers to requests that a client may repeat."""

from restante.store.answer_store import AnswerBounds, KeptAnswer
from restante.store.interface import Store

WIDE = AnswerBounds(since=0.0, of_owner=100, number=100, octets=10_000)


def answered(at: float = 5.0, body: bytes | None = b"{}") -> KeptAnswer:
    return KeptAnswer(b"digest", at, 201, body)


async def test_an_answer_is_found_by_owner_and_key(store: Store) -> None:
    await store.answers.keep_answer("anna", "k", answered(), WIDE)
    assert await store.answers.answer("anna", "k", 0.0) == answered()
    assert await store.answers.answer("anna", "other", 0.0) is None
    assert await store.answers.answer("bert", "k", 0.0) is None


async def test_an_old_answer_is_not_returned_and_goes_with_the_next(store: Store) -> None:
    await store.answers.keep_answer("anna", "k", answered(5.0), WIDE)
    assert await store.answers.answer("anna", "k", 5.1) is None
    later = AnswerBounds(since=5.1, of_owner=100, number=100, octets=10_000)
    await store.answers.keep_answer("anna", "k", answered(9.0, None), later)
    assert await store.answers.answer("anna", "k", 0.0) == answered(9.0, None)


async def test_the_first_answer_stays(store: Store) -> None:
    await store.answers.keep_answer("anna", "k", answered(5.0), WIDE)
    await store.answers.keep_answer("anna", "k", answered(6.0, b"[]"), WIDE)
    assert await store.answers.answer("anna", "k", 0.0) == answered(5.0)


async def kept(store: Store, bounds: AnswerBounds) -> list[str]:
    """Keep five answers of two owners, and return the keys of those that remain."""
    owners = ["anna", "bert", "anna", "anna", "bert"]
    for number, owner in enumerate(owners):
        await store.answers.keep_answer(
            owner, str(number), answered(float(number), b"12345"), bounds
        )
    return [
        str(number)
        for number, owner in enumerate(owners)
        if await store.answers.answer(owner, str(number), 0.0)
    ]


async def test_many_answers_to_one_owner_push_out_its_own_oldest(store: Store) -> None:
    assert await kept(store, AnswerBounds(0.0, 2, 100, 10_000)) == ["1", "2", "3", "4"]


async def test_the_oldest_go_when_there_are_too_many(store: Store) -> None:
    assert await kept(store, AnswerBounds(0.0, 100, 3, 10_000)) == ["2", "3", "4"]


async def test_the_oldest_go_when_they_are_too_large(store: Store) -> None:
    assert await kept(store, AnswerBounds(0.0, 100, 100, 11)) == ["3", "4"]


async def flooded(store: Store, bounds: AnswerBounds) -> list[str]:
    """Keep two answers of one account, and then many of two owners of another."""
    for key in ("1", "2"):
        await store.answers.keep_answer("alpha\nanna", key, answered(1.0, b"12345"), bounds)
    for number in range(10):
        for owner in ("beta\nbert", "beta\nbeth"):
            await store.answers.keep_answer(owner, str(number), answered(2.0, b"12345"), bounds)
    names = [("alpha\nanna", "1"), ("alpha\nanna", "2")]
    names += [(owner, str(n)) for n in range(10) for owner in ("beta\nbert", "beta\nbeth")]
    return [
        f"{owner[-4:]} {key}" for owner, key in names if await store.answers.answer(owner, key, 0)
    ]


async def test_no_account_pushes_out_the_answers_of_another_that_has_less(store: Store) -> None:
    left = ["anna 1", "anna 2", "bert 9", "beth 9"]
    assert await flooded(store, AnswerBounds(0.0, 100, 4, 10_000)) == left


async def test_no_account_pushes_out_answers_by_their_octets(store: Store) -> None:
    left = ["anna 1", "anna 2", "bert 9", "beth 9"]
    assert await flooded(store, AnswerBounds(0.0, 100, 100, 20)) == left
