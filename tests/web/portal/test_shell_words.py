"""Words that are copied into a terminal have no invisible character."""

from hypothesis import given
from hypothesis import strategies as st

from restante.web.portal.shell_words import shell_word

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(TEXTS)
def test_a_word_has_visible_characters_only(text: str) -> None:
    assert shell_word(text).isprintable()


def test_the_end_of_a_paste_is_written_as_an_escape() -> None:
    assert shell_word("\x1b[201~\x15touch f\n") == r"$'\x1b[201~\x15touch f\x0a'"
