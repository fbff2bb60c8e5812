import pytest

from restante.tenancy.password_rules import objection_to_password

EMAIL = "ana.lovelace@acme.example"


@pytest.mark.parametrize(
    ("password", "objection"),
    [
        ("", "too short"),
        ("elevenchars", "too short"),
        ("x" * 257, "too long"),
        ("four words\nin two lines", "cannot be typed"),
        ("aaaaaaaaaaaaaaaa", "is a common password"),
        ("123412341234", "is a common password"),
        ("qwertyuiopas", "is a common password"),
        ("Password2026!", "is a common password"),
        ("P@ssw0rdP@ssw0rd", "is a common password"),
        ("correct horse battery staple", "is a common password"),
        ("Restante-Restante", "is a common password"),
        ("ana.lovelace@acme.example", "made of your address"),
        ("Lovelace-Acme-1", "made of your address"),
        ("ana.lovelace2026", "made of your address"),
    ],
    ids=range(14),
)
def test_a_password_that_is_guessed_first_is_refused(password: str, objection: str) -> None:
    found = objection_to_password(password, EMAIL)
    assert found is not None
    assert objection in found


@pytest.mark.parametrize(
    "password",
    ["korb stiefel mond", "Tr0ub4dor&3xyz", "twelve chars", "lovelace wrote the first program"],
)
def test_a_long_password_needs_no_signs(password: str) -> None:
    assert objection_to_password(password, EMAIL) is None
