"""The messages of syslog, as RFC 5424 has them."""

import re

import pytest

from restante.telemetry.events import EVENTS
from restante.telemetry.events.event import EventLevel
from restante.telemetry.log_line import LogLine
from restante.telemetry.syslog_message import MOST_NAME, MOST_OCTETS, syslog_messages

AT = "2026-11-30T08:00:00.000123Z"
# RFC 5424 §6: the header, no structured data, and the text
FORM = re.compile(
    rb"<(\d{1,3})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) - ([ -~]*)\Z"
)


def messages(text: str, level: EventLevel = "info") -> list[bytes]:
    return list(syslog_messages(LogLine(text, AT, level, "mail-held"), "mx2.example.net", 42))


def test_a_message_has_the_event_in_its_header() -> None:
    [message] = messages(f"{AT} mail-held octets=4096")
    assert message == (
        b"<22>1 2026-11-30T08:00:00.000123Z mx2.example.net restante 42 mail-held - "
        b"2026-11-30T08:00:00.000123Z mail-held octets=4096"
    )
    assert FORM.match(message)


@pytest.mark.parametrize(("level", "severity"), [("info", 6), ("warning", 4), ("error", 3)])
def test_the_severity_is_the_level(level: EventLevel, severity: int) -> None:
    found = FORM.match(messages("x", level)[0])
    assert found
    assert divmod(int(found[1]), 8) == (2, severity)


def test_each_row_of_a_defect_is_a_message() -> None:
    found = messages("first\n    second\n    third", "error")
    assert [message.partition(b" - ")[2] for message in found] == [
        b"first",
        b"    second",
        b"    third",
    ]


def test_a_longer_row_is_cut() -> None:
    [message] = messages("x" * 10_000)
    assert len(message) == MOST_OCTETS
    assert message.endswith(b"x...")
    [whole] = messages("x" * 8000)
    assert whole.endswith(b"x" * 8000)


def test_other_characters_are_escaped() -> None:
    assert messages("ü\u2028")[0].endswith(b" - \\xfc\\u2028")


def test_the_name_of_each_event_is_a_name_of_a_message() -> None:
    assert all(len(event.event) <= MOST_NAME for event in EVENTS)
