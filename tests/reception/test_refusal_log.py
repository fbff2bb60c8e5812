"""Repeated refusals of a client do not fill the log, and all are counted."""

import pytest

from restante.reception.reception_settings import ReceptionSettings
from restante.reception.refusal_log import LINES_WHOLE, RefusalLog
from restante.store.store_errors import StoreError
from restante.telemetry.event_counts import Counts
from restante.telemetry.events import MailRefused, RecipientRefused
from restante.telemetry.metric_types import Counted
from restante.telemetry.metrics import METRICS
from tests.log_lines import Lines
from tests.wire import Wire

PEER = "192.0.2.7"
NOT_HOSTED = "550 5.7.1 The domain is not hosted here"
REST = "further ones of this session"


def counted(log: Lines, name: str) -> dict[str, float]:
    """The metric made of the lines, by the code of the reply."""
    counts = Counts()
    for kind in (RecipientRefused, MailRefused):
        for fields in log.of(kind):
            counts.count(kind(**fields))
    [metric] = [each for each in METRICS if isinstance(each, Counted) and each.name == name]
    return {labels[0]: count for labels, count in counts.of(metric).items() if count}


def refused(answer: str, forward_path: str = "") -> RecipientRefused:
    return RecipientRefused(
        peer=PEER, code=int(answer[:3]), answer=answer, reason="", forward_path=forward_path
    )


def test_the_first_are_written_whole_and_the_rest_as_a_sum_for_each_reply() -> None:
    log = Lines()
    lines = RefusalLog(log, PEER)
    for number in range(25):
        answer = "450 later" if number % 5 == 4 else "550 no"
        lines.write(refused(answer, f"<{number}@b.example>"))
    assert [line["forward_path"] for line in log.of(RecipientRefused)] == [
        f"<{number}@b.example>" for number in range(LINES_WHOLE)
    ]
    lines.close()
    lines.close()
    assert log.of(RecipientRefused)[LINES_WHOLE:] == [
        {"peer": "192.0.2.7", "code": 550, "answer": "550 no", "count": 12, "reason": REST},
        {"peer": "192.0.2.7", "code": 450, "answer": "450 later", "count": 3, "reason": REST},
    ]


def test_each_event_has_its_own_first_lines() -> None:
    log = Lines()
    lines = RefusalLog(log, PEER)
    for _ in range(LINES_WHOLE + 1):
        lines.write(refused("550 no"))
    lines.write(MailRefused(peer=PEER, code=451, answer="451 later", reason=""))
    assert (len(log.of(RecipientRefused)), len(log.of(MailRefused))) == (
        LINES_WHOLE,
        1,
    )


def test_an_answer_that_comes_after_the_end_is_written() -> None:
    log = Lines()
    lines = RefusalLog(log, PEER)
    for _ in range(LINES_WHOLE):
        lines.write(MailRefused(peer=PEER, code=451, answer="451 later", reason=""))
    lines.close()
    lines.write(MailRefused(peer=PEER, code=451, answer="451 later", reason=""))
    assert len(log.of(MailRefused)) == LINES_WHOLE + 1


def test_a_dictionary_attack_on_recipients_writes_a_few_lines(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.send(
        b"MAIL FROM:<>\r\n"
        + b"".join(b"RCPT TO:<u%d@b.example>\r\n" % number for number in range(200))
    )
    said = smtp.session.data_to_send()
    assert (said.count(b"\r\n550 "), said.count(b"\r\n421 ")) == (
        100,
        1,
    )  # refused_recipients_limit
    assert len(smtp.log.of(RecipientRefused)) == LINES_WHOLE
    smtp.dialogue.abandon()
    assert smtp.log.of(RecipientRefused)[LINES_WHOLE:] == [
        {"peer": "192.0.2.10", "code": 550, "answer": NOT_HOSTED, "count": 90, "reason": REST}
    ]
    assert counted(smtp.log, "restante_recipients_refused") == {"550": 100}


def test_content_refused_over_and_over_writes_a_few_lines() -> None:
    wire = Wire(ReceptionSettings(bare_newlines="reject"))
    wire.hosts("a.example")
    wire.connect(has_tls=False)
    wire.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\nbare\nnewline\r\n.\r\n" * 40)
    assert len(wire.log.of(MailRefused)) == LINES_WHOLE
    wire.dialogue.abandon()
    assert sum(counted(wire.log, "restante_mail_refused").values()) == 40
    wire.close()


def test_so_does_a_store_that_fails(smtp: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    smtp.hosts("a.example")

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk was removed")

    monkeypatch.setattr(smtp.store.reception, "hold", fail)
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\nx\r\n.\r\n" * 15)
    assert len(smtp.log.of(MailRefused)) == LINES_WHOLE
    smtp.dialogue.abandon()
    assert counted(smtp.log, "restante_mail_refused") == {"451": 15}


def test_a_session_without_refusals_has_no_such_lines(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\nx\r\n.\r\n")
    smtp.dialogue.abandon()
    assert smtp.log.of(RecipientRefused) == smtp.log.of(MailRefused) == []
