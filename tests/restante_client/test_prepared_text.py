"""SASLprep, compared with that of the server."""

from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.saslprep import prepared
from restante_client.prepared_text import prepared_text


def test_forms() -> None:
    assert prepared_text("\u2168") == "IX"
    assert prepared_text("I\u00adX") == "IX"
    assert prepared_text("a\u00a0b") == "a b"
    assert prepared_text("\u06271") == "\u06271"  # directions are mixed: as typed


@given(st.text())
def test_both_sides_prepare_alike(text: str) -> None:
    assert prepared_text(text) == prepared(text)
