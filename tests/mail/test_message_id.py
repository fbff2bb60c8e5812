"""The Message-ID of content: the first one, bounded, and safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.message_id import MESSAGE_ID_LIMIT, MessageIdSearch, message_id_of, whole_id
from restante.mail.received_field import HEADER_OCTETS


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"Message-ID: <1@a.example>\r\n\r\nText\r\n", "<1@a.example>"),
        (b"From: x\r\nmessage-id : <1@a.example> \r\nTo: y\r\n\r\n", "<1@a.example>"),
        (b"MESSAGE-ID:<1@a.example>", "<1@a.example>"),
        (b"Message-ID:\r\n <1@a.example>\r\n\r\n", "<1@a.example>"),
        (b"Message-ID: <1\r\n\t@a.example>\r\n\r\n", "<1 @a.example>"),
        (b"Message-ID: <1@a>\r\nMessage-ID: <2@a>\r\n\r\n", "<1@a>"),
        (b"Message-IDs: no\r\nMessage-ID: <1@a>\r\n\r\n", "<1@a>"),
        (b"X: y\r\nMessage-ID-X: no\r\nMessage-Id: <1@a>\r\n\r\n", "<1@a>"),
        ("Message-ID: <ü@a>\r\n\r\n".encode(), "<ü@a>"),
        (b"Message-ID: <\xff\x1b[2J@a>\r\n\r\n", "<\ufffd\ufffd[2J@a>"),
        (b"Message-ID: no brackets\r\n\r\n", "no brackets"),
        (b"Message-ID: \r\n\r\n", None),
        (b"Message-ID:", None),
        (b"Message-ID", None),
        (b"", None),
        (b"\r\nMessage-ID: <1@a>\r\n\r\n", None),
        (b"\r\n\r\nMessage-ID: <1@a>\r\n", None),
        (b"Subject: x\r\n\r\nMessage-ID: <1@a>\r\n\r\n", None),
        (b"Subject: x\r\n Message-ID: <1@a>\r\n\r\n", None),
        (b"X-Message-ID: <1@a>\r\n\r\n", None),
    ],
)
def test_it_is_the_first_field_of_the_header(content: bytes, found: str | None) -> None:
    assert message_id_of(content) == found


def test_a_long_one_is_cut() -> None:
    assert message_id_of(b"Message-ID: " + b"x" * 100_000) == "x" * MESSAGE_ID_LIMIT


def test_fields_far_below_the_head_are_not_searched() -> None:
    above = b"X: y\r\n" * (HEADER_OCTETS // 6 + 1)
    assert message_id_of(above + b"Message-ID: <1@a>\r\n\r\n") is None


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_a_stranger_writes_can_be_shown(above: bytes, value: bytes) -> None:
    found = message_id_of(above + b"\r\nMessage-ID:" + value + b"\r\n\r\n")
    assert found is None or (found.isprintable() and 0 < len(found) <= MESSAGE_ID_LIMIT)


@given(
    st.lists(
        st.sampled_from(
            [b"X: y", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"Mess", b"age-ID:", b" <1@a>"]
        ),
        max_size=12,
    )
)
def test_content_in_blocks_has_the_same(blocks: list[bytes]) -> None:
    search = MessageIdSearch()
    for block in blocks:
        search.take(block)
    assert search.found == message_id_of(b"".join(blocks))


@pytest.mark.parametrize(
    ("text", "whole"), [("1@a", "<1@a>"), ("<1@a>", "<1@a>"), (None, None)], ids=str
)
def test_people_copy_it_with_and_without_brackets(text: str | None, whole: str | None) -> None:
    assert whole_id(text) == whole
