"""The origin of a message and its Message-ID, from the wire to the store."""

import pytest

from restante.mail.message import HeldMessage
from restante.mail.message_origin import MessageOrigin
from restante.store.reception_store import INLINE_LIMIT
from tests.wire import PORT, Wire

LINE = b"0123456789 0123456789\r\n"
LARGE = LINE * (INLINE_LIMIT // len(LINE) + 1)
FROM_HOME = MessageOrigin("192.0.2.10", PORT, "client.example", "TLSv1.3 TEST")


@pytest.fixture
def smtp(smtp: Wire) -> Wire:
    """Take mail for one domain over TLS."""
    smtp.hosts("a.example", account="alpha")
    smtp.dialogue.tls = FROM_HOME.tls
    return smtp


def held(smtp: Wire, content: bytes) -> HeldMessage:
    """Send content; return what is held of it."""
    smtp.send(b"MAIL FROM:<b@b.example>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n")
    smtp.send(content + b".\r\n")
    [one] = smtp.held("a.example")
    found = smtp.run(smtp.store.queue.message(one.number))
    assert found is not None
    return found


@pytest.mark.parametrize("body", [b"Text\r\n", LARGE], ids=["in memory", "spooled"])
def test_both_are_kept(smtp: Wire, body: bytes) -> None:
    found = held(smtp, b"From: b\r\nMessage-Id: <1@b.example>\r\n\r\n" + body)
    assert (found.file is not None) is (body is LARGE)
    assert (found.origin, found.message_id) == (FROM_HOME, "<1@b.example>")


def test_without_a_message_id_there_is_none(smtp: Wire) -> None:
    assert held(smtp, b"\r\nMessage-ID: <1@b.example>\r\n").message_id is None


def test_a_client_cannot_write_what_a_terminal_obeys(smtp: Wire) -> None:
    smtp.session.client_name = "a\x1b[2J" + "x" * 1000
    found = held(smtp, b"Message-ID: <\x1b[2J@b.example>\r\n\r\n")
    assert found.message_id == "<\N{REPLACEMENT CHARACTER}[2J@b.example>"
    assert found.origin == FROM_HOME._replace(hello="a?[2J" + "x" * 250)


def test_each_domain_has_both(smtp: Wire) -> None:
    smtp.hosts("b.example", account="beta")
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nRCPT TO:<x@b.example>\r\nDATA\r\n")
    smtp.send(b"Message-ID: <1@b.example>\r\n\r\n.\r\n")
    for domain in ("a.example", "b.example"):
        [one] = smtp.held(domain)
        found = smtp.run(smtp.store.queue.message(one.number))
        assert found is not None
        assert (found.origin, found.message_id) == (FROM_HOME, "<1@b.example>")
