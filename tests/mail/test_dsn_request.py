"""Requests for reports as values and as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.dsn_request import (
    DsnRequest,
    Notify,
    RecipientRequest,
    Ret,
    embedded,
    parse_notify,
    unembedded,
    utf8_address,
    xtext,
    xtext_decoded,
)

ANNA, BERT = RecipientRequest(Notify.NEVER), RecipientRequest(original="rfc822;b@b.example")


@pytest.mark.parametrize(
    "text", ["NEVER", "SUCCESS", "FAILURE", "DELAY", "SUCCESS,FAILURE,DELAY", "FAILURE,DELAY"]
)
def test_notify_is_spelled_as_it_was_asked(text: str) -> None:
    assert parse_notify(text).text == text
    assert parse_notify(text.lower()).text == text


@pytest.mark.parametrize(
    "text", ["", "NEVER,SUCCESS", "SUCCESS,", ",DELAY", "ALWAYS", "SUCCESS, DELAY"]
)
def test_a_notify_that_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the text is the message
        parse_notify(text)


def test_the_request_of_a_recipient_that_made_none_is_empty() -> None:
    assert DsnRequest().of("anna@b.example") == RecipientRequest()


@pytest.mark.parametrize(
    ("asked", "of_bert"),
    [
        (
            DsnRequest(recipients={"anna": ANNA, "bert": BERT}),
            DsnRequest(recipients={"bert": BERT}),
        ),
        (DsnRequest(recipients={"anna": ANNA}), None),
        (DsnRequest(Ret.FULL, recipients={"anna": ANNA}), DsnRequest(Ret.FULL)),
        (DsnRequest(envelope_id="id"), DsnRequest(envelope_id="id")),
        (DsnRequest(), None),
    ],
)
def test_the_request_for_some_recipients_has_nothing_about_others(
    asked: DsnRequest, of_bert: DsnRequest | None
) -> None:
    assert asked.only(["bert", "carl"]) == of_bert


@pytest.mark.parametrize(
    ("written", "decoded"),
    [
        ("", ""),
        ("a@b.example", "a@b.example"),
        ("a+2Bb+3Dc+20d", "a+b=c d"),
        ("+09", "\t"),
    ],
)
def test_xtext_is_decoded(written: str, decoded: str) -> None:
    assert xtext_decoded(written) == decoded
    assert xtext(decoded) == written


@pytest.mark.parametrize(
    "text", ["a b", "a=b", "a+", "a+2b", "a+2", "a+0A", "+00", "+FC", "ü", "a\n"]
)
def test_text_that_is_no_xtext_or_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the text is the message
        xtext_decoded(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_any_graphic_text_can_be_written_as_xtext(text: str) -> None:
    written = xtext(text)
    assert not set(written) & set(" =")
    assert xtext_decoded(written) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
def test_any_address_can_be_written_in_ascii(path: str) -> None:
    """RFC 6533 §3: the result has neither blanks nor characters with a meaning in xtext."""
    written = utf8_address(path)
    assert written.isascii()
    assert not set(written) & set(" +=")
    assert xtext_decoded(written) == written
    if path.isprintable():
        assert unembedded(written) == path


def test_only_characters_outside_ascii_are_embedded() -> None:
    assert embedded("a+ü\\🔑") == "a+\\x{FC}\\\\x{1F511}"


@pytest.mark.parametrize("text", ["\\x{0A}", "\\x{D800}", "\\x{110000}", "\\x{41", "\\x{g1}"])
def test_embedded_text_never_becomes_a_control_or_half_a_character(text: str) -> None:
    assert unembedded(text) == text
