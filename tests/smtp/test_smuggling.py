"""Smuggling: however content and stream are cut, no content becomes a command or ends early.

Each sequence that has ended DATA on some server stands in the middle of a whole dialogue, before a
transaction of the attacker's. Then the stream is cut at every octet. `make unit` cuts it around
the sequence, and elsewhere at each eighth octet.
"""

import os
from collections.abc import Iterator

import pytest

from restante.smtp.server_events import ContentReceived
from tests.smtp.conversation import Conversation
from tests.smtp.joined import Join, JoinedClient, JoinedServer, PlannedMail
from tests.smtp.reference import ALL_NEWLINES, ReferenceDestination, Taken, ended, normalized
from tests.smtp.test_content import NO_END_OF_DATA, cut

EVIL = (
    b"MAIL FROM:<250.250.evil@a.example>\r\n"
    b"RCPT TO:<250.victim@b.example>\r\n"
    b"DATA\r\n"
    b"From: boss\r\n"
    b"\r\n"
    b"Pay him.\r\n"
    b"RSET\r\n"
    b"BDAT 4 LAST\r\n"
    b"QUIT"
)
OPENING = b"MAIL FROM:<250.250@a.example>\r\nRCPT TO:<250.0@b.example>\r\n"
SECOND = (
    b"MAIL FROM:<250.250.2@a.example>\r\n"
    b"RCPT TO:<250.2@b.example>\r\n"
    b"DATA\r\n"
    b"second\r\n"
    b".\r\n"
    b"QUIT\r\n"
)


def spelled(octets: bytes) -> str:
    """Name octets in a test's name."""
    names = {b"\r": "CR", b"\n": "LF", b"\0": "NUL", b".": "dot"}
    return "-".join(names.get(octets[place : place + 1], "?") for place in range(len(octets)))


sequences = pytest.mark.parametrize("sequence", NO_END_OF_DATA, ids=spelled)


def content_with(sequence: bytes) -> bytes:
    return b"Subject: x\r\n\r\nbody" + sequence + EVIL + b"\r\n"


def octet_by_octet(stream: bytes) -> list[bytes]:
    return cut(stream, [1] * len(stream))


IS_UNIT = bool(os.environ.get("RESTANTE_UNIT"))
AROUND = 4  # octets before and behind the sequence at which every run cuts


def places_to_cut(octets: bytes, sequence: bytes) -> list[int]:
    begin = octets.index(b"body" + sequence) + len(b"body")
    near = range(begin - AROUND, begin + len(sequence) + AROUND)
    return [
        place for place in range(1, len(octets)) if not IS_UNIT or place in near or place % 8 == 0
    ]


def ways_to_cut(stream: bytes, sequence: bytes) -> Iterator[list[bytes]]:
    yield from ([stream[:place], stream[place:]] for place in places_to_cut(stream, sequence))
    yield octet_by_octet(stream)


def check(pieces: list[bytes], taken: list[Taken], replies: list[int]) -> None:
    """Check that a dialogue has these messages and replies, and nothing of the attacker's."""
    server = JoinedServer()
    for piece in pieces:
        server.receive(piece)
    assert server.taken == taken
    assert not [path for path in server.mail_seen if "evil" in path]
    assert [
        int(line[:3]) for line in server.says().split(b"\r\n")[:-1] if line[3:4] == b" "
    ] == replies


SECOND_TAKEN = Taken("250.250.2@a.example", ["250.2@b.example"], b"second\r\n")
SECOND_REPLIES = [250, 250, 354, 250, 221]


@sequences
def test_no_sequence_ends_data_wherever_the_stream_is_cut(sequence: bytes) -> None:
    content = content_with(sequence)
    # As sent, read strictly: a dot at the beginning of a line goes, and only CRLF ends a line.
    unstuffed = b"\r\n".join(line.removeprefix(b".") for line in content.split(b"\r\n"))
    first = Taken("250.250@a.example", ["250.0@b.example"], normalized(unstuffed))
    stream = b"EHLO c.example\r\n" + OPENING + b"DATA\r\n" + content + b".\r\n" + SECOND
    for pieces in ways_to_cut(stream, sequence):
        check(pieces, [first, SECOND_TAKEN], [220, 250, 250, 250, 354, 250, *SECOND_REPLIES])


@sequences
def test_a_chunk_ends_by_its_count_wherever_the_stream_is_cut(sequence: bytes) -> None:
    content = content_with(sequence + b"\r\n.\r\n")
    first = Taken("250.250@a.example", ["250.0@b.example"], normalized(content))
    stream = (
        b"EHLO c.example\r\n" + OPENING + b"BDAT %d LAST\r\n%s" % (len(content), content) + SECOND
    )
    for pieces in ways_to_cut(stream, sequence):
        check(pieces, [first, SECOND_TAKEN], [220, 250, 250, 250, 250, *SECOND_REPLIES])


@sequences
def test_a_message_may_be_cut_into_chunks_at_every_octet(sequence: bytes) -> None:
    content = content_with(sequence + b"\r\n.\r\n")
    first = Taken("250.250@a.example", ["250.0@b.example"], normalized(content))
    suspicious = range(content.index(sequence), content.index(EVIL) + 1)
    for place in [0, *places_to_cut(content, sequence), len(content)]:
        chunks = b"BDAT %d\r\n%sBDAT %d LAST\r\n%s" % (
            place,
            content[:place],
            len(content) - place,
            content[place:],
        )
        stream = b"EHLO c.example\r\n" + OPENING + chunks + SECOND
        replies = [220, 250, 250, 250, 250, 250, *SECOND_REPLIES]
        check([stream], [first, SECOND_TAKEN], replies)
        if place in suspicious:
            check(octet_by_octet(stream), [first, SECOND_TAKEN], replies)


@sequences
def test_the_octets_of_a_refused_chunk_are_never_commands(sequence: bytes) -> None:
    """The recipient is refused, and the client had its chunks under way already."""
    content = content_with(sequence + b"\r\n.\r\n")
    opening = b"MAIL FROM:<250.250@a.example>\r\nRCPT TO:<550.0@b.example>\r\n"
    chunk = b"BDAT %d\r\n%sBDAT %d LAST\r\n%s" % (len(content), content, len(content), content)
    stream = b"EHLO c.example\r\n" + opening + chunk + b"RSET\r\n" + SECOND
    for pieces in ways_to_cut(stream, sequence):
        check(pieces, [SECOND_TAKEN], [220, 250, 250, 550, 503, 503, 250, *SECOND_REPLIES])


@sequences
@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
def test_whoever_wants_bare_newlines_and_nuls_refused_is_told_of_each(
    sequence: bytes, by_bdat: bool
) -> None:
    content = b"body" + sequence + b"rest\r\n"
    talk = Conversation().begin()
    verb = (
        b"BDAT %d LAST\r\n%s" % (len(content), content)
        if by_bdat
        else b"DATA\r\n" + content + b".\r\n"
    )
    for piece in octet_by_octet(verb):
        talk.send(piece)
    received = next(event for event in talk.events if isinstance(event, ContentReceived))
    has_bare_newline = any(octet in sequence.replace(b"\r\n", b"") for octet in b"\r\n")
    assert received.found_bare_newline is has_bare_newline
    assert received.found_nul is (b"\0" in sequence)


@sequences
@pytest.mark.parametrize("newline", ALL_NEWLINES)
@pytest.mark.parametrize("drops_nuls", [False, True], ids=["", "drops-NUL"])
@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
def test_held_content_ends_nothing_at_the_destination(
    sequence: bytes, newline: bytes, drops_nuls: bool, by_bdat: bool
) -> None:
    """Received by either verb, sent by DATA to a server that may read line ends in any way."""
    content = content_with(sequence)
    server = JoinedServer()
    verb = (
        b"BDAT %d LAST\r\n%s" % (len(content), content)
        if by_bdat
        else b"DATA\r\n" + content + b".\r\n"
    )
    server.receive(b"EHLO c.example\r\n" + OPENING + verb)
    (held,) = [taken.content for taken in server.taken]
    for place in places_to_cut(held, b""):
        planned = [
            PlannedMail(250, (250,), 250, held, (place,)),
            PlannedMail(250, (250,), 250, b"next\r\n"),
        ]
        client, destination = (
            JoinedClient(planned),
            ReferenceDestination(newline, drops_nuls=drops_nuls),
        )
        Join((), ()).carry(client, destination.receive, destination.says)
        assert [taken.content for taken in destination.taken] == [ended(held), b"next\r\n"]
        assert destination.verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"]
