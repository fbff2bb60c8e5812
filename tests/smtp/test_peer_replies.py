"""Replies as values: the texts that can be read, and those that cannot."""

import pytest

from restante.smtp.peer_replies import MAX_LINE, MAX_LINES, MAX_REPLY, ReplyReader, ServerReply
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost


def read(data: bytes, *, learns_line_end: bool = False) -> list[ServerReply]:
    reader = ReplyReader()
    reader.learns_line_end = learns_line_end
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
    ("data", "code", "lines"),
    [
        (b"250ok\r\n", 250, [b"ok"]),
        (b"250\tqueued\r\n", 250, [b"queued"]),
        (b"250_OK\r\n", 250, [b"_OK"]),
        (b"\r\n \t\r\n250 OK\r\n", 250, [b"OK"]),
        (b"250-one\r\ntwo\r\n\r\n250 three\r\n", 250, [b"one", b"two", b"", b"three"]),
        (b"250-one\r\n251 two\r\n", 251, [b"one", b"two"]),
        (b"550-no\r\n554 5.7.1 no\r\n", 554, [b"no", b"5.7.1 no"]),
        (b"250-one\r\n25 two\r\n250 three\r\n", 250, [b"one", b"25 two", b"three"]),
        (b"250 O\rK\r\n", 250, [b"O\rK".replace(b"\r", b" ")]),
        (b"250 \r\r\n", 250, [b" "]),
        (b"250 " + b"x" * 5000 + b"\r\n", 250, [b"x" * MAX_LINE]),
        (b"250-x\r\n" * 500 + b"250 x\r\n", 250, [b"x"] * MAX_LINES),
    ],
)
def test_an_odd_reply_counts_if_its_code_can_be_read(
    data: bytes, code: int, lines: list[bytes]
) -> None:
    whole = [ServerReply(code, tuple(lines)), ServerReply(220, (b"next",))]
    assert read(data + b"220 next\r\n") == whole
    reader = ReplyReader()
    reader.learns_line_end = False
    found = []
    for octet in data + b"220 next\r\n":
        reader.receive(bytes([octet]))
        while (reply := reader.next_reply()) is not None:
            found.append(reply)
    assert found == whole


@pytest.mark.parametrize(
    "data",
    [
        b"OK\r\n",
        b"25 OK\r\n",
        b"2500 OK\r\n",
        b"150 wait\r\n",
        b"600 what\r\n",
        b" 250 OK\r\n",
        b"250-one\r\n450 two\r\n",
        b"\x16\x03\x01" + b"x" * MAX_LINE,
        b"2" * (MAX_LINE + 1),
        b"\r\n" * (MAX_REPLY // 2 + 1),
    ],
)
def test_a_line_without_a_code_is_no_reply(data: bytes) -> None:
    with pytest.raises(PeerBroke):
        read(data)


@pytest.mark.parametrize("data", [b"250 and more ", b"250-more\r\n", b"250-more\r\nand more"])
def test_the_end_of_a_reply_is_not_awaited_for_ever(data: bytes) -> None:
    reader = ReplyReader()
    pieces = MAX_REPLY // len(data) + 2
    for _ in range(pieces):
        reader.receive(data)
        if (reply := reader.next_reply()) is not None:
            break
    assert reply is not None
    assert reply.code == 250
    assert len(reply.text) <= 1010
    assert reader.has_surplus
    with pytest.raises(ReplyEndLost):
        reader.next_reply()


def test_a_server_that_ended_its_first_lines_with_lf_alone_may_go_on_so() -> None:
    assert [reply.code for reply in read(b"220 hi\n250-p\n250 HELP\n", learns_line_end=True)] == [
        220,
        250,
    ]


def test_a_bare_lf_elsewhere_ends_a_reply_and_the_session() -> None:
    reader = ReplyReader()
    reader.learns_line_end = False
    reader.receive(b"250 OK, you said\n250 queued\r\n")
    assert reader.next_reply() == ServerReply(250, (b"OK, you said",))
    with pytest.raises(ReplyEndLost):
        reader.next_reply()


@pytest.mark.parametrize("data", [b"250-one\n250 two\r\n", b"250-one\r\ntwo\n250 three\r\n"])
def test_a_bare_lf_within_a_reply_of_several_lines_is_not_read(data: bytes) -> None:
    with pytest.raises(PeerBroke, match="a bare LF within a reply"):
        read(data)


def test_the_part_of_a_reply_that_came_can_be_shown() -> None:
    reader = ReplyReader()
    reader.receive(b"250-one\r\n250 tw\x00")
    assert reader.next_reply() is None
    assert reader.unread == "one 250 tw?"


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
