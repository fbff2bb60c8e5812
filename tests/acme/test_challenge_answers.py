"""The answers to challenges that are expected now."""

import pytest

from restante.acme.challenge_answers import CHALLENGE_PATH, ChallengeAnswers


def test_a_token_is_answered_while_it_is_expected() -> None:
    answers = ChallengeAnswers()
    answers.expect("abc", "abc.thumb")
    assert answers.answer(f"{CHALLENGE_PATH}abc") == "abc.thumb"
    answers.forget("abc")
    answers.forget("abc")
    assert answers.answer(f"{CHALLENGE_PATH}abc") is None


@pytest.mark.parametrize(
    "path",
    ["/", "", "abc", f"{CHALLENGE_PATH}x", f"{CHALLENGE_PATH}abc/", f"/x{CHALLENGE_PATH}abc"],
)
def test_nothing_else_is_answered(path: str) -> None:
    answers = ChallengeAnswers()
    answers.expect("abc", "abc.thumb")
    assert answers.answer(path) is None
