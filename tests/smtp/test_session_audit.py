"""Servers that mix CRLF and bare LF are served, and a stranger's text never passes for a reply.

A reply that ends in a bare LF, where it alone is due, begins the audit of a session. Its
transaction ends when the server has closed the connection, with as many replies as commands.
"""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.queue.recipient_status import RecipientMove
from restante.smtp.client_events import SessionEnding
from restante.smtp.pipelining import Pipelining
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost
from tests.smtp.client_talk import CHUNKING_OFFERED, PIPELINING, PLAIN, PROBED, ClientTalk, mail

MAIL, RCPT, DATA = ("C: MAIL FROM:<a@a.example>", "C: RCPT TO:<b@b.example>", "C: DATA")
CONTENT = "C: Subject: x\nC:\nC: body\nC: ."
QUIT = "C: QUIT"
DELIVERED = {1: {"b@b.example": RecipientMove.DELIVERED}}


def closed(talk: ClientTalk) -> ClientTalk:
    """The server closes the connection."""
    talk.session.end_audit()
    talk.go_on()
    return talk


def served(mail_end: str, rcpt_end: str, data_end: str) -> ClientTalk:
    return ClientTalk(mail(1), mail(2)).transcript(
        PLAIN,
        MAIL,
        f"S~ 250 OK{mail_end}",
        RCPT,
        f"S~ 250 OK{rcpt_end}",
        DATA,
        f"S~ 354 go{data_end}",
        CONTENT,
        "S: 250 queued",
        QUIT,
        "S: 221 bye",
    )


@pytest.mark.parametrize(
    "ends",
    [
        (r"\n", r"\r\n", r"\r\n"),
        (r"\r\n", r"\n", r"\r\n"),
        (r"\r\n", r"\r\n", r"\n"),
        (r"\n", r"\n", r"\n"),
    ],
)
def test_a_message_to_a_server_that_mixes_line_ends_counts_once_it_has_closed(
    ends: tuple[str, str, str],
) -> None:
    talk = served(*ends)
    assert (talk.moves, talk.outstanding, talk.session.can_begin) == ({}, [1], False)
    assert closed(talk).moves == DELIVERED
    assert talk.ending.ending is SessionEnding.QUIT
    assert talk.outstanding == []


@pytest.mark.parametrize("surplus", [b"221 bye\r\n", b"250 OK\r\n", b"250 OK\n", b"2", b"x"])
def test_more_than_the_replies_that_are_due_voids_the_audit(surplus: bytes) -> None:
    talk = served(r"\n", r"\r\n", r"\r\n")
    with contextlib.suppress(PeerBroke):
        talk.receive(surplus)
    assert closed(talk).moves == {}
    assert talk.session.in_doubt is not None


def test_a_close_without_the_reply_to_quit_leaves_the_message_in_doubt() -> None:
    talk = ClientTalk(mail(1)).transcript(
        PLAIN,
        MAIL,
        r"S~ 250 OK\n",
        RCPT,
        "S: 250 OK",
        DATA,
        "S: 354 go",
        CONTENT,
        "S: 250 ok",
        QUIT,
    )
    assert closed(talk).moves == {}
    assert talk.session.in_doubt is not None


def test_refusals_count_with_the_audit_too() -> None:
    talk = ClientTalk(mail(1), mail(2)).transcript(
        PLAIN, MAIL, r"S~ 550-no\n550 no\n", QUIT, "S: 221 bye"
    )
    assert talk.moves == {}
    assert talk.session.in_doubt is None
    assert closed(talk).moves == {1: {"b@b.example": RecipientMove.REFUSED}}


@pytest.mark.parametrize(
    ("text", "then"),
    [
        (r"250 you \n250 OK\r\n", (RCPT, DATA)),
        (r"250 you \n250 a\n354 b\n250 c\r\n", (RCPT, DATA, CONTENT, QUIT)),
        (r"250 you \n250 a\n354 b\n250-c\r\n", (RCPT, DATA, CONTENT)),
    ],
)
def test_a_text_that_looks_like_more_replies_delivers_nothing(
    text: str, then: tuple[str, ...]
) -> None:
    """The server says 550 to the content, which the forged replies are meant to hide."""
    talk = ClientTalk(mail(1)).transcript(PLAIN, MAIL)
    with contextlib.suppress(PeerBroke):
        talk.transcript(f"S~ {text}")
    assert talk.session.is_audited
    for reply in (b"250 OK\r\n", b"354 go\r\n", b"550 no\r\n", b"221 bye\r\n"):
        talk.session.data_to_send()
        with contextlib.suppress(PeerBroke):
            talk.receive(reply)
    assert closed(talk).moves == {}, then


def test_with_several_replies_due_a_bare_lf_voids_the_session() -> None:
    talk = ClientTalk(mail(1)).transcript(PIPELINING, MAIL, RCPT, DATA)
    with pytest.raises(ReplyEndLost):
        talk.receive(b"250 OK\n250 OK\r\n354 go\r\n")
    assert (talk.moves, talk.outstanding) == ({}, [1])
    assert talk.session.not_borne_for_lf is Pipelining.OPENING


CODES = ["250", "354", "550", "450", "221", "250-", "550-", ""]
# Such lines have the best chance: as many as there are commands before the verdict, or more.
SHIFTS = [
    ["250", "354", "250"],
    ["354", "250"],
    ["250", "354", "250", "221"],
    ["250", "354", "250-"],
]
forged = st.one_of(
    st.just([]), st.sampled_from(SHIFTS), st.lists(st.sampled_from(CODES), max_size=5)
).map(lambda codes: [f"{code} x".encode() for code in codes])
texts = st.builds(
    lambda lines, end: b"\n".join([b"you said ", *lines]) + end,
    forged,
    st.sampled_from([b"\r\n", b"\n"]),
)


class Server:
    """Obeys one command after the other, with a stranger's words in its replies."""

    def __init__(self, words: list[bytes], codes: list[bytes]) -> None:
        self.words, self.codes = iter(words), iter(codes)
        self.unread = b""
        self.is_in_content = False
        self.has_closed = False
        self.verdict = b""  # its true reply to the content

    def reply(self, good: bytes) -> bytes:
        code = next(self.codes) or good
        return code + b" " + next(self.words)

    def answer(self) -> bytes:
        """Take the next command or the content, and return what it says to that; b"" if none."""
        end = b"\r\n.\r\n" if self.is_in_content else b"\r\n"
        line, found, rest = self.unread.partition(end)
        if not found:
            return b""
        self.unread = rest
        if self.is_in_content:
            self.is_in_content = False
            said = self.reply(b"250")
            self.verdict = said[:3]
            return said
        if line == b"QUIT":
            self.has_closed = True
            return b"221 " + next(self.words)
        said = self.reply(b"354" if line == b"DATA" else b"250")
        self.is_in_content = line == b"DATA" and said[:3] == b"354"
        return said


@settings(max_examples=5 * settings().max_examples)  # fewer for `make unit`
@given(
    words=st.lists(texts, min_size=12, max_size=12),
    codes=st.lists(st.sampled_from([b"", b"", b"", b"550"]), min_size=12, max_size=12),
)
def test_only_content_that_the_server_took_is_delivered(
    words: list[bytes], codes: list[bytes]
) -> None:
    """Each line leaves by itself, and is read before the next one: the worst case."""
    talk, server = ClientTalk(mail(1)).transcript(PLAIN, MAIL), Server(words, codes)
    server.unread = b"MAIL FROM:<a@a.example>\r\n"
    with contextlib.suppress(PeerBroke):
        while not server.has_closed:
            server.unread += talk.session.data_to_send()
            said = server.answer()
            if not said:
                break
            for line in said.splitlines(keepends=True):
                talk.receive(line)
                server.unread += talk.session.data_to_send()
        if server.has_closed:
            closed(talk)
    if talk.moves.get(1, {}).get("b@b.example") is RecipientMove.DELIVERED:
        assert server.verdict == b"250"


def test_no_message_begins_while_one_is_audited() -> None:
    talk = ClientTalk(mail(1), mail(2)).transcript(
        PIPELINING,
        MAIL,
        RCPT,
        DATA,
        "S: 250 OK",
        "S: 550 5.1.1 unknown",
        r"S~ 503 no recipients\n",
        "C: RSET",
        "S: 250 OK",
        QUIT,
        "S: 221 bye",
    )
    assert closed(talk).moves == {1: {"b@b.example": RecipientMove.REFUSED}}
    assert talk.outstanding == []


def test_nothing_runs_ahead_in_a_session_that_is_audited() -> None:
    talk = ClientTalk(mail(1), mail(2)).transcript(
        CHUNKING_OFFERED,
        PROBED,
        "S: 250 2.1.0 OK",
        "S: 554 5.5.1 no valid recipients",
        "S: 250 2.1.0 OK",
        r"S~ 250 2.0.0 OK\n",
        MAIL,
        "S: 250 OK",
        RCPT,
        "S: 250 OK",
        DATA,
        "S: 354 go",
        CONTENT,
        "S: 250 queued",
        QUIT,
        "S: 221 bye",
    )
    assert talk.moves == {}
    assert closed(talk).moves == DELIVERED
    assert talk.outstanding == []
