import pytest

from restante.tenancy.one_time_codes import (
    RECOVERY_CODES,
    code_at,
    code_uri,
    hash_recovery_code,
    new_code_secret,
    new_recovery_codes,
    step_at,
    step_of_code,
)

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, in Base32
NOW = 1_111_111_109.0
STEP = 37_037_036


def test_the_codes_are_those_of_the_standard() -> None:
    assert step_at(NOW) == STEP
    assert code_at(SECRET, step_at(59.0)) == "287082"  # the last six of the eight digits there
    assert code_at(SECRET, STEP) == "081804"


@pytest.mark.parametrize(("steps", "is_good"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_code_is_good_for_one_step_more_on_both_sides(steps: int, is_good: bool) -> None:
    found = step_of_code(SECRET, code_at(SECRET, STEP + steps), NOW, 0)
    assert found == (STEP + steps if is_good else None)


def test_a_code_is_not_good_again_nor_is_an_earlier_one() -> None:
    assert step_of_code(SECRET, code_at(SECRET, STEP), NOW, STEP) is None
    assert step_of_code(SECRET, code_at(SECRET, STEP - 1), NOW, STEP) is None
    assert step_of_code(SECRET, code_at(SECRET, STEP + 1), NOW, STEP) == STEP + 1


@pytest.mark.parametrize(
    "code",
    ["", "0", "081805", "abcdef", "081804081804", "\udcff", "\u0660\u0668\u0661\u0668\u0660\u0664"],
)
def test_another_text_is_no_code(code: str) -> None:
    assert step_of_code(SECRET, code, NOW, 0) is None


def test_blanks_in_a_code_do_not_count() -> None:
    assert step_of_code(SECRET, " 081 804 ", NOW, 0) == STEP


def test_secrets_and_recovery_codes_are_random() -> None:
    assert new_code_secret() != new_code_secret()
    assert len(new_code_secret()) == 32
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES == 10
    assert set(codes) & set(new_recovery_codes()) == set()


def test_a_recovery_code_may_be_typed_in_any_form() -> None:
    [code, *_] = new_recovery_codes()
    typed = f" {code.upper().replace('-', ' ')} "
    assert hash_recovery_code(typed) == hash_recovery_code(code)
    assert hash_recovery_code(code) != hash_recovery_code("aaaa-aaaa-aaaa")


def test_an_app_gets_the_secret_with_address_and_name() -> None:
    uri = code_uri(SECRET, "ana+x@acme.example", "mx2.example")
    assert uri.startswith("otpauth://totp/mx2.example:ana%2Bx%40acme.example?")
    assert f"secret={SECRET}" in uri
