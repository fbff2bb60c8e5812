"""The column that says where a message came from."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.store.stored_form.origin_column import (
    origin_text,
    past_origin_text,
    read_origin,
    read_past_origin,
)

TEXT = st.text(max_size=20)


VERDICTS = st.dictionaries(TEXT, TEXT, max_size=3)
STATUSES = st.sampled_from(PtrStatus)
ORIGINS = st.builds(
    MessageOrigin, TEXT, st.integers(0, 65535), TEXT, TEXT, TEXT, VERDICTS, STATUSES
)


@given(ORIGINS)
def test_an_origin_comes_back_as_it_was(origin: MessageOrigin) -> None:
    text = origin_text(origin)
    assert text.isascii()
    assert json.loads(text)["address"] == origin.address
    read = read_origin(text)
    assert read == origin
    assert read is not None
    assert isinstance(read.ptr, PtrStatus)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"address":1', '{"later":true}'])
def test_an_unreadable_origin_is_none(text: str) -> None:
    assert read_origin(text) is None


def test_what_a_later_version_knows_is_left_out() -> None:
    text = '{"address":"192.0.2.1","port":25,"hello":"x","ptr":"later","also":{"later":1}}'
    assert read_origin(text) == MessageOrigin("192.0.2.1", 25, "x")


def test_none_is_none() -> None:
    assert read_origin(None) is None
    assert read_past_origin(None, "192.0.2.1") is None


@given(ORIGINS)
def test_mail_that_left_has_its_address_apart(origin: MessageOrigin) -> None:
    text = past_origin_text(origin)
    assert "address" not in json.loads(text)
    assert read_past_origin(text, origin.address) == origin


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"port":1', "{{}"])
def test_an_unreadable_origin_of_mail_that_left_is_none(text: str) -> None:
    assert read_past_origin(text, "192.0.2.1") is None
