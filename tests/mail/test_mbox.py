"""mboxrd returns the same messages for any lines and any cuts into blocks."""

import re

from hypothesis import given
from hypothesis import strategies as st

from restante.mail.mbox import (
    MboxQuoter,
    MboxUnquoter,
    message_positions,
    reverse_path_in,
    separator,
)

LINES = st.lists(
    st.sampled_from(
        [
            b"",
            b"From x",
            b">From x",
            b">>From y",
            b"> From",
            b"from z",
            b"Frome",
            b"text",
            b" From q",
        ]
    ),
    max_size=8,
)
CONTENTS = LINES.map(lambda lines: b"".join(line + b"\r\n" for line in lines))


def written(contents: list[bytes], cut: int) -> bytes:
    mbox = b""
    for content in contents:
        quoter = MboxQuoter()
        mbox += separator("a@sender.example", 1_760_000_000.0)
        mbox += quoter.quote(content[:cut]) + quoter.quote(content[cut:]) + quoter.finish()
    return mbox


def unquote(octets: bytes, *cuts: int) -> bytes:
    """Unquoted in pieces that end at these places."""
    unquoter = MboxUnquoter()
    ends = sorted(min(cut, len(octets)) for cut in cuts)
    pieces = [
        octets[start:end] for start, end in zip([0, *ends], [*ends, len(octets)], strict=True)
    ]
    return b"".join(unquoter.unquote(piece) for piece in pieces) + unquoter.unquote(
        b"", is_last=True
    )


@given(
    CONTENTS.map(lambda content: written([content], 0)), st.lists(st.integers(0, 80), max_size=6)
)
def test_however_it_is_cut_the_same_is_read(mbox: bytes, cuts: list[int]) -> None:
    quoted = b"".join(mbox[one.start : one.end] for one in message_positions(mbox))
    assert unquote(quoted, *cuts) == re.sub(rb"^>(>*From )", rb"\1", quoted, flags=re.MULTILINE)


@given(st.lists(CONTENTS, max_size=4), st.integers(0, 40))
def test_written_mail_is_read_back(contents: list[bytes], cut: int) -> None:
    mbox = written(contents, cut)
    read = [
        unquote(mbox[one.start : one.end]).replace(b"\n", b"\r\n")
        for one in message_positions(mbox)
    ]
    assert read == contents


def test_a_separator_names_path_and_time() -> None:
    assert (
        separator("a@sender.example", 1_760_000_000.0)
        == b"From a@sender.example Thu Oct 09 08:53:20 2025\n"
    )
    assert separator("", 0.0) == b"From MAILER-DAEMON Thu Jan 01 00:00:00 1970\n"


def test_a_separator_is_read_for_its_path_where_it_has_one() -> None:
    assert (
        reverse_path_in(b"From a@sender.example Thu Oct 09 08:53:20 2025\n") == "a@sender.example"
    )
    assert reverse_path_in(b"From MAILER-DAEMON Thu Oct 09 08:53:20 2025\n") == ""
    assert reverse_path_in(b"From - Thu Oct 09 08:53:20 2025\n") is None


def test_a_mbox_with_crlf_line_ends_is_read_too() -> None:
    mbox = b"From a@b c\r\nSubject: one\r\n\r\n>From there\r\n\r\nFrom a@b c\r\nSubject: two\r\n"
    found = [unquote(mbox[one.start : one.end]) for one in message_positions(mbox)]
    assert found == [b"Subject: one\r\n\r\nFrom there\r\n", b"Subject: two\r\n"]


def test_a_file_that_begins_otherwise_has_no_messages() -> None:
    assert list(message_positions(b"Subject: x\n\nText\n")) == []
