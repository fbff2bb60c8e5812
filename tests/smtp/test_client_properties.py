"""Properties of the client session with any server."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from restante.queue.recipient_status import RecipientMove
from restante.smtp.limits import SmtpLimits
from restante.smtp.protocol_errors import PeerBroke
from restante.tenancy.model import TlsUse
from tests.smtp.client_talk import ClientTalk, mail
from tests.smtp.conversation import Conversation
from tests.smtp.test_content import cut, slices

_REPLIES = [
    b"220 p.example\r\n",
    b"250 OK\r\n",
    b"250-p.example\r\n250 PIPELINING\r\n",
    b"250-more\r\n",
    b"354 go\r\n",
    b"450 later\r\n",
    b"550 no\r\n",
    b"503 what\r\n",
    b"421 bye\r\n",
    b"221 bye\r\n",
    b"250 \n",
    b"\r\n",
    b"2",
]
servers = st.lists(st.sampled_from(_REPLIES), max_size=30).map(b"".join)


def seen(pieces: list[bytes], *, sends: bool) -> tuple[list[str], bool, bytes]:
    """Return the events, whether the server broke the protocol, and the octets sent."""
    talk = ClientTalk(
        *(mail(number, content=b"x\r\n") for number in range(1, 6)), tls=TlsUse.OPPORTUNISTIC
    )
    said, is_broken = b"", False
    for piece in pieces:
        try:
            talk.receive(piece)
        except PeerBroke:
            is_broken = True
            break
        if sends:
            said += talk.session.data_to_send()
    return [type(event).__name__ for event in talk.events], is_broken, said


@given(servers, slices)
def test_however_tcp_slices_the_bytes_the_events_are_the_same(
    server: bytes, cuts: list[int]
) -> None:
    assert seen(cut(server, cuts), sends=False) == seen([server] if server else [], sends=False)


@given(st.binary(max_size=300) | servers, slices)
def test_any_bytes_give_events_or_a_broken_peer_and_nothing_else(
    server: bytes, cuts: list[int]
) -> None:
    seen(cut(b"220 p\r\n" + server, cuts), sends=True)


@given(servers, slices)
def test_no_message_is_delivered_before_its_content_has_left(
    server: bytes, cuts: list[int]
) -> None:
    talk = ClientTalk(*(mail(number, content=b"number %d\r\n" % number) for number in range(1, 6)))
    said = b""
    with contextlib.suppress(PeerBroke):
        for piece in cut(b"220 p\r\n" + server, cuts):
            talk.receive(piece)
            for number, moves in talk.moves.items():
                if RecipientMove.DELIVERED in moves.values():
                    assert b"number %d\r\n.\r\n" % number in said
            said += talk.session.data_to_send()
    assert not set(talk.moves) & set(talk.outstanding)


contents = st.lists(
    st.sampled_from([b".", b"..", b"a", b"\r\n", b"\r\n.\r\n", b"\xff", b"x" * 70]),
    min_size=1,
    max_size=12,
).map(b"".join)


@given(
    st.lists(contents, min_size=1, max_size=4),
    slices,
    st.sampled_from([b"", b"PIPELINING", b"CHUNKING"]),
)
def test_one_engine_receives_byte_for_byte_from_the_other(
    bodies: list[bytes], cuts: list[int], lacks: bytes
) -> None:
    talk = ClientTalk(*(mail(number, content=body) for number, body in enumerate(bodies, 1)))
    server = Conversation(limits=SmtpLimits())
    for _ in range(10 * len(bodies)):
        said = server.session.data_to_send().replace(b"mx2.example.net", b"p.example")
        talk.receive(said.replace(lacks, b"X-NO") if lacks else said)
        for piece in cut(talk.session.data_to_send(), cuts):
            server.send(piece)
    by_data = [body if body.endswith(b"\r\n") else body + b"\r\n" for body in bodies]
    assert server.messages == (by_data if lacks else bodies)
    assert all(set(moves.values()) == {RecipientMove.DELIVERED} for moves in talk.moves.values())
    assert len(talk.moves) == len(bodies)
