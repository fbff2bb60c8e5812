"""A server's octets, cut anyhow, into the reader of replies and the code that uses them.

The rule: replies or PeerBroke, nothing else; and the cuts change neither.
"""

import base64
from collections.abc import Iterable

from restante.sasl.scram_client import MAX_ITERATIONS
from restante.smtp.client_auth import SCRAM, ClientAuthentication, ClientLogin
from restante.smtp.client_events import SaltPassword
from restante.smtp.ehlo_offer import read_offer
from restante.smtp.peer_replies import MAX_LINE, MAX_LINES, MAX_REPLY, ReplyReader, ServerReply
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.told_secrets import ToldSecrets
from tests.fuzz.choices import Choices, pieces, read_input

_LOGIN = ClientLogin("us", "secret")


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    _, octets, stream = read_input(data, 0)
    found, complaint = _read(pieces(stream, Choices(octets)))
    whole, same_complaint = _read([stream])
    assert (found, bool(complaint)) == (whole, bool(same_complaint))
    assert complaint.isprintable()
    _check_lines(found, stream)
    for reply in found:
        _check_reply(reply)


def _read(stream: Iterable[bytes]) -> tuple[list[ServerReply], str]:
    """Return the replies, and how the server broke the protocol after them, "" if it did not."""
    reader = ReplyReader()
    found: list[ServerReply] = []
    try:
        for piece in stream:
            reader.receive(piece)
            while (reply := reader.next_reply()) is not None:
                found.append(reply)
            assert len(reader._buffer) - reader._position <= MAX_REPLY
    except PeerBroke as error:
        return found, str(error)
    return found, ""


def _check_lines(found: list[ServerReply], stream: bytes) -> None:
    """The replies are in the stream in that order, lines and codes."""
    position = 0
    shown = stream.replace(b"\r", b" ")  # a CR within a line is kept as a blank
    for reply in found:
        assert b"%d" % reply.code in shown[position:]
        for line in reply.lines:
            position = shown.find(line, position)
            assert position >= 0
            position += len(line)


def _check_reply(reply: ServerReply) -> None:
    assert 200 <= reply.code < 600
    assert 1 <= len(reply.lines) <= MAX_LINES
    assert all(
        len(line) <= MAX_LINE and b"\r" not in line and b"\n" not in line for line in reply.lines
    )
    assert reply.text.isprintable()
    assert len(reply.text) <= 1010
    assert reply.text.startswith(str(reply.code))
    assert not reply.enhanced or reply.enhanced.replace(".", "").isdigit()
    offer = read_offer(reply)
    assert 0 <= offer.size_limit < 10**20
    _answer_challenge(reply)


def _answer_challenge(reply: ServerReply) -> None:
    for mechanism in ("CRAM-MD5", SCRAM):
        authentication = ClientAuthentication(_LOGIN, mechanism, "nonce", ToldSecrets())
        authentication.command()
        try:
            response = authentication.respond(reply)
        except PeerBroke:
            continue
        if isinstance(response, SaltPassword):
            assert 0 < response.salting.iterations <= MAX_ITERATIONS
            response = authentication.password_salted(bytes(32))
        assert response == b"*" or base64.b64decode(response, validate=True)
