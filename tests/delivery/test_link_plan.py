"""The meaning of the end of a connection for the next one."""

from typing import Any

import pytest

from restante.delivery.link_plan import ConnectionEnd, EndKind, SendingManner
from restante.smtp.pipelining import Pipelining
from tests.smtp.client_talk import mail

SOME = (mail(1),)


def end(kind: EndKind = EndKind.BROKEN, **facts: Any) -> ConnectionEnd:
    fields = {"reason": "", "was_ready": True, "outstanding": (), "tls": "", **facts}
    return ConnectionEnd(kind, **fields)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (end(EndKind.BUSY, delivered=1), True),
        (end(EndKind.BROKEN, delivered=1, was_closed=True), True),
        (end(EndKind.BROKEN, delivered=1), False),
        (end(EndKind.BUSY), False),
        (end(EndKind.QUIT, delivered=1), False),
    ],
    ids=["421 after mail", "closed after mail", "silence", "421 at once", "as we wanted"],
)
def test_another_connection_may_take_more(ended: ConnectionEnd, expected: bool) -> None:
    assert ended.came_after_mail is expected


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (end(EndKind.BUSY, outstanding=SOME), True),
        (end(EndKind.REFUSED, tried=1), True),
        (end(was_closed=True, outstanding=SOME), True),
        (end(outstanding=SOME), True),
        (end(EndKind.ABORTED, outstanding=SOME), False),
        (end(was_closed=True), False),
        (end(was_closed=True, outstanding=SOME, was_ready=False), False),
        (end(was_closed=True, outstanding=SOME, not_borne=Pipelining.OPENING), False),
        (end(was_closed=True, outstanding=SOME, manner=SendingManner.AHEAD), True),
        (end(was_closed=True, outstanding=2 * SOME, manner=SendingManner.AHEAD), False),
        (end(was_closed=True, tried=3, manner=SendingManner.AHEAD), True),
    ],
    ids=[
        *("421", "refused", "closed", "malformed reply or silence", "ended by us"),
        "before any message",
        *("before EHLO", "over pipelining"),
        *("over a window of one", "over a window", "after a window"),
    ],
)
def test_a_message_may_be_the_cause(ended: ConnectionEnd, expected: bool) -> None:
    assert ended.was_over_a_message is expected


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (end(not_borne=Pipelining.OPENING, outstanding=SOME), True),
        (end(not_borne=Pipelining.ACROSS, outstanding=SOME), True),
        (end(not_borne=Pipelining.AHEAD), True),
        (end(not_borne=Pipelining.AHEAD, outstanding=2 * SOME), True),
        (end(not_borne=Pipelining.AHEAD, outstanding=3 * SOME), False),
        (end(), False),
        (end(EndKind.BUSY, not_borne=Pipelining.OPENING), False),
        (end(EndKind.BUSY, not_borne=Pipelining.AHEAD, manner=SendingManner.PROBED), True),
    ],
    ids=[
        *("opening", "across", "the probe", "the second window", "a window", "no sign", "421"),
        "421 to the probe",
    ],
)
def test_another_connection_does_without_pipelining(ended: ConnectionEnd, expected: bool) -> None:
    assert ended.goes_on_gentler is expected
