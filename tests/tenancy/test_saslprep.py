"""SASLprep (RFC 4013): the examples of the RFC, and its effect on other text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.saslprep import forms_of, prepared_password, saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),  # RFC 4013 §3
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0627\u0628", "\u0627\u0628"),
        (
            "p\u00e4ss \U0001f511",
            "p\u00e4ss \U0001f511",
        ),  # a code point that Unicode 3.2 does not assign
        ("", ""),
    ],
)
def test_text_is_prepared(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text", ["\u0007", "\u06271", "\u0627a\u0628", "a\0b", "\ue000", "\u200e", "\ufffd"]
)
def test_text_without_a_prepared_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"prohibited|mixed"):
        saslprep(text)
    assert prepared_password(text) == text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("password", "forms"),
    [
        ("plain", ("plain",)),
        ("\u2168", ("IX", "\u2168")),
        ("a\u0308", ("\u00e4", "a\u0308")),
        ("\u0007", ("\u0007",)),  # it has no prepared form
    ],
)
def test_a_password_has_its_prepared_form_and_the_typed_one(
    password: str, forms: tuple[str, ...]
) -> None:
    assert forms_of(password) == forms


@given(st.text())
def test_a_prepared_text_stays_as_it_is(text: str) -> None:
    try:
        prepared = saslprep(text)
    except ValueError:
        return
    assert saslprep(prepared) == prepared
