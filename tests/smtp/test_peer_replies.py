"""Replies as values: what is read from them, and what is not."""

import pytest

from restante.smtp.offer import read_offer
from restante.smtp.peer_replies import MAX_LINE, ReplyReader, ServerReply


def read(data: bytes) -> list[ServerReply]:
    reader = ReplyReader()
    reader.receive(data)
    return list(iter(reader.next_reply, None))


def test_replies_of_one_line_and_of_many() -> None:
    assert read(b"250 OK\r\n250-a\r\n250-\r\n250 c\r\n354\r\n25") == [
        ServerReply(250, (b"OK",)),
        ServerReply(250, (b"a", b"", b"c")),
        ServerReply(354, (b"",)),
    ]


def test_a_line_may_be_as_long_as_the_limit() -> None:
    line = b"250 " + b"x" * (MAX_LINE - 4)
    assert len(read(line + b"\r\n")) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"5.1.1 nobody", "5.1.1"),
        (b"4.10.123", "4.10.123"),
        (b"nobody 5.1.1", ""),
        (b"5.1.1x", ""),
        (b"3.1.1 x", ""),
        (b"", ""),
    ],
)
def test_the_enhanced_code_is_read_where_it_stands(line: bytes, code: str) -> None:
    assert ServerReply(550, (line,)).enhanced == code


def test_a_reply_without_words_is_its_code() -> None:
    assert ServerReply(250, (b"",)).text == "250"
    assert ServerReply(550, (b"5.1.1 no", b"", b"5.1.1 body")).text == "550 5.1.1 no 5.1.1 body"


def test_an_offer_is_read_whatever_its_spelling() -> None:
    offer = read_offer(
        ServerReply(
            250, (b"P.Example hi", b"Size 5000", b"auth LOGIN plain", b"AUTH=CRAM-MD5", b"", b"X-\xff", b"chunking")
        )
    )
    assert offer.server_name == "p.example"
    assert (offer.has_size, offer.size_limit) == (True, 5000)
    assert offer.mechanisms == {"LOGIN", "PLAIN", "CRAM-MD5"}
    assert offer.has_chunking
    assert not offer.has_pipelining


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE many", b"SIZE 9" + b"9" * 30, b"SIZE -5"])
def test_a_size_that_says_nothing_is_no_limit(size: bytes) -> None:
    offer = read_offer(ServerReply(250, (b"p", size)))
    assert offer.has_size
    assert offer.size_limit == 0
