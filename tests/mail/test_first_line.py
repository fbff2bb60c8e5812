"""A first line that would join our Received field or end the header is set off; no other is."""

from datetime import UTC, datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.first_line import has_ascii_header, set_off
from restante.mail.received_field import SessionFacts, received_field

HOST: Final = "mx2.example.net"
NAME: Final = "1abcdefghjk"


def field(
    only_recipient: str = "", client: str = "a.example", name: str = NAME, by: str = HOST
) -> bytes:
    origin = SessionFacts(
        client, "192.0.2.1", is_extended=True, tls="TLSv1.3 TLS_AES_256_GCM_SHA384"
    )
    at = datetime(2026, 11, 28, tzinfo=UTC).timestamp()
    return received_field(
        origin, by=by, name=name, only_recipient=only_recipient, at=at, is_smtputf8=False
    )


FIELDS: Final = [
    field(),
    b"X-Spam-Score: 3.5\r\nX-Filter: seen\r\n" + field(),
    field("x@a.example"),
    field(client="bad name\x7f"),
    field(name="1zzzzzzzzzz"),
]
CHANGED: Final = [
    (b" joins\r\n\r\nText\r\n", b"\r\n joins\r\n\r\nText\r\n"),
    (b"\tby forged.example; now\r\n\r\n", b"\r\n\tby forged.example; now\r\n\r\n"),
    (b"\tSat, 28 Nov 2026 00:00:00 +0000\r\n", b"\r\n\tSat, 28 Nov 2026 00:00:00 +0000\r\n"),
    (
        b"From a@b Sat Nov 28\r\nTo: x\r\n\r\n",
        b"X-Mailbox-Line: From a@b Sat Nov 28\r\nTo: x\r\n\r\n",
    ),
    (b">From a@b\r\nTo: x\r\n\r\n", b"X-Mailbox-Line: >From a@b\r\nTo: x\r\n\r\n"),
    (b" ", b"\r\n "),
]
SEVERAL: Final = [
    (
        b"From a\r\n>From b\r\nTo: x\r\n",
        b"X-Mailbox-Line: From a\r\nX-Mailbox-Line: >From b\r\nTo: x\r\n",
    ),
    (b"From a\r\n joins\r\n", b"X-Mailbox-Line: From a\r\n\r\n joins\r\n"),
    (b"From a\r\n", b"X-Mailbox-Line: From a\r\n"),
    (b"From a", b"X-Mailbox-Line: From a"),
]
KEPT: Final = [
    b"",
    b"\r\n",
    b"From: a@b\r\n\r\n",
    b"Subject: x\r\n\r\nFrom a\r\n \r\n",
    b"no header\r\n",
    b">x\r\n",
]


@pytest.mark.parametrize("top", FIELDS)
@pytest.mark.parametrize(("content", "sent"), [*CHANGED, *SEVERAL])
def test_such_a_first_line_is_set_off(top: bytes, content: bytes, sent: bytes) -> None:
    assert set_off(top + content, top + content, NAME, HOST) == top + sent


@pytest.mark.parametrize("top", FIELDS)
@pytest.mark.parametrize("content", KEPT)
def test_any_other_stays(top: bytes, content: bytes) -> None:
    head = top + content
    assert set_off(head, head, NAME, HOST) is head


@pytest.mark.parametrize(("content", "sent"), CHANGED)
def test_of_large_content_the_field_alone_is_in_memory(content: bytes, sent: bytes) -> None:
    top = field()
    assert set_off(top, top + content, NAME, HOST) + content == top + sent


@pytest.mark.parametrize(("content", "sent"), CHANGED)
def test_imported_mail_begins_with_its_own_first_line(content: bytes, sent: bytes) -> None:
    assert set_off(content, content, NAME, HOST) == sent


def test_a_field_of_another_server_may_go_on() -> None:
    """It looks like ours and is not: a line below it belongs to it."""
    other = (
        field(name="1zzzzzzzzzz", by="mail.other.example")
        + b"\t(envelope-from a@b)\r\nTo: x\r\n\r\n"
    )
    assert set_off(other, other, NAME, HOST) is other


@given(st.binary(max_size=60))
def test_nothing_after_our_field_becomes_part_of_it(rest: bytes) -> None:
    head = field() + rest
    sent = set_off(head, head, NAME, HOST)
    assert sent.startswith(field())
    assert not sent[len(field()) :].startswith((b" ", b"\t", b"From "))
    assert sent.endswith(rest)


@pytest.mark.parametrize(
    ("content", "is_ascii"),
    [
        (b"To: x\r\n\r\n\xc3\xbc", True),
        (b"To: \xc3\xbc\r\n\r\n", False),
        (b"To: x\r\n", False),  # no end in sight
        (b"\r\n\r\n", True),
    ],
)
def test_a_header_is_ascii_or_not_known_to_be(content: bytes, is_ascii: bool) -> None:
    assert has_ascii_header(content) is is_ascii


def test_a_field_of_ours_within_a_file_keeps_its_header_section() -> None:
    """Large mail that was exported and imported again: all of it stands in the file."""
    content = field() + b" joins\r\nTo: x\r\n\r\n"
    assert set_off(b"", content, NAME, HOST) == b""
