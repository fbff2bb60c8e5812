"""The writer of reports: content from the store, defects that are told, and reports stored."""

import asyncio
from email import message_from_bytes

import pytest

from restante.dsn import dsn_writer, report_text
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.delivery_report import NewReport, ReportAction, ReportedRecipient, ReportFacts
from restante.mail.dsn_request import DsnRequest, Ret
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage
from restante.mail.received_field import date_time
from restante.store.memory import MemoryStore
from restante.telemetry.events import InternalError, ReportMade
from tests.log_lines import Lines

NOW = 1_800_000_000.0
ANNA = "anna@b.example"
FACTS = ReportFacts(
    ReportAction.FAILED, (ReportedRecipient(ANNA, "550 5.1.1 no such user", is_refused=True),), ""
)


RECEIVED = (
    "Received: from c.example ([192.0.2.1])\r\n\tby mx2.example.net with ESMTP id 1;\r\n"
    f"\t{date_time(int(NOW))}\r\n"
)


class OneFile:
    """The content of one file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read_beginning(self, _file: ContentFile, octets: int) -> bytes:
        return self._content[:octets]


def held(head: bytes, file: ContentFile | None = None, number: int = 1) -> HeldMessage:
    return HeldMessage(number, 1, Envelope("s@a.example", (ANNA,)), NOW, head, file)


def writer(log: Lines | None = None) -> DsnWriter:
    return DsnWriter(MemoryStore().content, "mx2.example.net", lambda: NOW + 60, log)


def made(message: HeldMessage) -> NewReport:
    return asyncio.run(writer().make(message, FACTS))


def test_a_report_is_of_this_server_and_this_moment() -> None:
    report = made(held(b"Subject: x\r\n\r\nbody\r\n"))
    read = message_from_bytes(report.content)
    assert "mx2.example.net" in str(read["From"])
    assert report.made_at == NOW + 60
    assert (report.reverse_path, report.forward_paths) == ("s@a.example", (ANNA,))
    assert b"Subject: x" in report.content


@pytest.mark.parametrize("ret", [Ret.HDRS, Ret.FULL])
@pytest.mark.parametrize("is_in_file", [False, True])
def test_a_first_line_does_not_join_our_field_in_the_returned_header(
    ret: Ret, is_in_file: bool
) -> None:
    field = RECEIVED.encode()
    forged = b" by forged.example\r\nSubject: x\r\n\r\nbody\r\n"
    envelope = Envelope("s@a.example", (ANNA,), dsn=DsnRequest(ret))
    writes = writer()
    if is_in_file:
        file = ContentFile("content", len(forged), 0)
        writes = DsnWriter(OneFile(forged), "mx2.example.net", lambda: NOW)  # type: ignore[arg-type]
        message = HeldMessage(1, 1, envelope, NOW, field, file)
    else:
        message = HeldMessage(1, 1, envelope, NOW, field + forged)
    content = asyncio.run(writes.make(message, FACTS)).content
    assert field + b"\r\n" in content
    assert field + b" by forged" not in content


def test_two_reports_have_different_message_ids() -> None:
    ids = {message_from_bytes(made(held(b"X: y\r\n\r\n")).content)["Message-ID"] for _ in range(9)}
    assert len(ids) == 9


def test_a_header_in_a_file_that_is_damaged_is_returned_as_far_as_it_is_there() -> None:
    report = made(held(b"Received: by x\r\n", ContentFile("missing", 9, 0)))
    assert b"Received: by x" in report.content


def test_one_that_cannot_be_made_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make_report = report_text.make_report

    def fail_once(message: HeldMessage, *rest: object) -> NewReport:
        if message.number == 1:
            raise RuntimeError("a defect")
        return make_report(message, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(dsn_writer, "make_report", fail_once)
    log = Lines(takes_defects=True)
    messages = [held(b"X: y\r\n\r\n", number=number) for number in (1, 2)]
    reports = asyncio.run(writer(log).make_all([(message, FACTS) for message in messages]))
    assert [report.about for report in reports] == [2]
    [defect] = log.of(InternalError)
    assert (defect["doing"], defect["message"]) == ("report", "1")


def test_stored_reports_are_logged_and_announced() -> None:
    log, announced = Lines(), []
    reports = writer(log)
    reports.on_stored(lambda: announced.append(True))
    reports.stored([])
    assert (log.lines, announced) == ([], [])
    reports.stored([made(held(b"X: y\r\n\r\n"))] * 2)
    assert announced == [True]
    assert [line["recipients"] for line in log.of(ReportMade)] == [1, 1]
