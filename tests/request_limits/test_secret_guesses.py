"""The limit of secrets that a client has compared."""

from restante.request_limits.secret_guesses import MEMORY, MOST_WRONG, SecretGuesses


def test_after_too_many_wrong_ones_a_right_one_is_not_told_either() -> None:
    guesses = SecretGuesses()
    for _ in range(MOST_WRONG):
        assert guesses.may_tell("login a", 0.0, is_right=False)
    assert not guesses.may_tell("login a", 1.0, is_right=False)
    assert not guesses.may_tell("login a", 1.0, is_right=True)
    assert guesses.may_tell("login b", 1.0, is_right=True)
    assert guesses.may_tell("login a", MEMORY + 1.0, is_right=True)


def test_right_ones_do_not_count() -> None:
    guesses = SecretGuesses()
    assert all(guesses.may_tell("login a", 0.0, is_right=True) for _ in range(MOST_WRONG + 1))
