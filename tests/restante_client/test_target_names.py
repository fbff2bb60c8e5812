"""Arguments of ETRN and ATRN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.address import canonical_domain
from restante_client.client_failure import ClientFailure
from restante_client.target_names import wire_target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme.Example", "acme.example"),
        ("acme.example.", "acme.example"),
        ("@bücher.example", "@xn--bcher-kva.example"),
        ("#acme", "#acme"),
        ("_dmarc.acme.example", "_dmarc.acme.example"),
    ],
)
def test_the_form_on_the_wire(text: str, expected: str) -> None:
    assert wire_target(text) == expected


@pytest.mark.parametrize(
    "text", ["", "@", "#", "#a b", "#a,b", "a b", "a,b", "a\r\nQUIT", "-a.b", "ä" * 70]
)
def test_what_is_no_target_is_not_sent(text: str) -> None:
    with pytest.raises(ClientFailure, match="give DOMAIN, @DOMAIN or #ACCOUNT"):
        wire_target(text)


def test_a_letter_that_old_idna_would_change_is_refused() -> None:
    with pytest.raises(ClientFailure, match="write the domain in its form xn--"):
        wire_target("straße.example")


@given(st.text(max_size=20))
def test_any_text_has_the_form_of_the_server_or_none(text: str) -> None:
    try:
        sent = wire_target(text)
    except ClientFailure:
        return
    assert sent.isascii()
    assert sent.isprintable()
    if sent[:1] not in ("@", "#"):
        assert canonical_domain(sent) == sent
