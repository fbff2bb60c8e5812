"""The proofs of a sign-in, as words and as text."""

from restante.tenancy.sign_in_factor import SignInFactor, factors_text, known_factors


def test_factors_are_read_as_a_sentence_has_them() -> None:
    both = (SignInFactor.PASSWORD, SignInFactor.ONE_TIME_CODE)
    assert factors_text(both) == "password and one-time code"
    assert factors_text((SignInFactor.PASSKEY,)) == "passkey"
    assert factors_text(()) == ""


def test_words_of_another_version_are_left_out() -> None:
    assert known_factors(["password", "and", "one-time-code", "retina"]) == (
        SignInFactor.PASSWORD,
        SignInFactor.ONE_TIME_CODE,
    )
