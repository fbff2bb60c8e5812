"""Mail while the store cannot be reached: deferred before its content; all else works."""

from collections.abc import Iterator

import pytest

from restante.store.memory import MemoryStore
from tests.away_store import AwayStore
from tests.wire import Wire

GONE = "451 4.3.0 Cannot store mail now, try again later"


@pytest.fixture
def smtp() -> Iterator[Wire]:
    """A world whose store can be away."""
    wire = Wire(store=AwayStore())
    yield wire
    wire.close()


def away(store: MemoryStore, absence: str) -> None:
    assert isinstance(store, AwayStore)
    store.absence = absence


def test_mail_is_put_off_at_mail_and_taken_when_the_store_is_back(smtp: Wire) -> None:
    smtp.hosts("alpha.example")
    away(smtp.store, "connection refused")
    smtp.transcript(f"""
        C: MAIL FROM:<a@sender.example>
        S: {GONE}
        C: RCPT TO:<reader@alpha.example>
        S: 503 5.5.1 Bad sequence of commands
        C: NOOP
        S: 250 2.0.0 OK
    """)
    away(smtp.store, "")
    smtp.transcript("""
        C: MAIL FROM:<a@sender.example>
        S: 250 2.1.0 OK
        C: RCPT TO:<reader@alpha.example>
        S: 250 2.1.5 OK
    """)


def test_a_message_in_the_middle_is_put_off_at_its_end(smtp: Wire) -> None:
    smtp.hosts("alpha.example")
    smtp.transcript("""
        C: MAIL FROM:<a@sender.example>
        S: 250 2.1.0 OK
        C: RCPT TO:<reader@alpha.example>
        S: 250 2.1.5 OK
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
    """)
    away(smtp.store, "connection refused")
    smtp.transcript(f"""
        C: body
        C: .
        S: {GONE}
        C: MAIL FROM:<a@sender.example>
        S: {GONE}
    """)
    away(smtp.store, "")
    assert smtp.held("alpha.example") == []


def test_a_password_is_not_examined_before_the_store_is_back(smtp: Wire) -> None:
    smtp.hosts("alpha.example", account="alpha")
    away(smtp.store, "connection refused")
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 454 4.7.0 Temporary authentication failure
    """)
    away(smtp.store, "")
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
    """)


def test_a_request_is_put_off(smtp: Wire) -> None:
    smtp.hosts("alpha.example", account="alpha", holding=1)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
    """)
    away(smtp.store, "connection refused")
    smtp.transcript("""
        C: ETRN alpha.example
        S: 458 4.3.0 Unable to queue messages for node alpha.example
    """)
