"""Header fields as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.encoded_words import decoded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?= =?utf-8?q?_an_alle?=", "Grüße an alle"),
        ("Re: =?iso-8859-1?q?caf=E9?= tonight", "Re: café tonight"),
        ("=?unknown-charset?q?x?=", "=?unknown-charset?q?x?="),
        ("=?utf-8?b?broken", "=?utf-8?b?broken"),
        ("=?utf-8?B?!!!?= x", "=?utf-8?B?!!!?= x"),
        ("=?utf-8?q?=1B[31m?=", "\x1b[31m"),  # code that prints it replaces control characters
    ],
)
def test_encoded_words_are_decoded(value: str, text: str) -> None:
    assert decoded(value) == text


@given(
    st.text(max_size=80)
    | st.from_regex(r"(=\?[a-z0-9-]{0,12}\?[bq]\?[ -~]{0,30}\?= ?){1,3}", fullmatch=True)
)
def test_nothing_in_a_field_makes_it_fail(value: str) -> None:
    assert isinstance(decoded(value), str)
