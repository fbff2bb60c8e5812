"""Verdicts and findings: their bounds, in number and in form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.checks.findings import FIELDS_LIMIT, NOTES_LIMIT, NOTHING_FOUND
from restante.checks.verdict import CheckField, CheckPassed, refuse
from restante.mail.message_origin import VERDICT_LIMIT


@pytest.mark.parametrize(
    ("code", "status", "text"),
    [
        (250, "2.0.0", "OK"),
        (550, "4.7.1", "No"),
        (450, "5.7.1", "No"),
        (650, "6.0.0", "No"),
        (550, "", "No"),
        (550, "5.7.1", ""),
        (550, "5.7.1", "No\r\n250 OK"),
        (550, "5.7.1", "Nó"),
        (550, "5.7.1", "x" * 401),
    ],
)
def test_only_a_refusal_on_one_line_is_one(code: int, status: str, text: str) -> None:
    with pytest.raises(ValueError, match="not "):
        refuse(code, status, text)


def test_a_refusal_has_its_reply() -> None:
    refused = refuse(550, "5.7.1", "Malware found")
    assert bytes(refused.reply) == b"550 5.7.1 Malware found\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Received", "from x"),
        ("X-", "x"),
        ("X-Sp am", "x"),
        ("X-Spam:", "x"),
        ("X-Spam", "a\r\nTo: x"),
        ("X-Spam", "a\nb"),
        ("X-Spam", "ä"),
        ("X-Spam", "x" * 1000),
    ],
)
def test_a_field_forges_no_other(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"not |too long"):
        CheckField(name, value)


@given(st.text(), st.text())
def test_a_field_is_one_line(name: str, value: str) -> None:
    try:
        line = bytes(CheckField("X-" + name, value))
    except ValueError:
        return
    assert line.count(b"\r\n") == line.count(b"\n") == line.count(b"\r") == 1
    assert line.endswith(b"\r\n")
    assert line.index(b":") == len(name) + 2


def test_findings_of_many_recipients_count_once() -> None:
    findings = NOTHING_FOUND
    field = CheckField("X-Filter", "yes")
    for score in (1.0, 3.5, 2.0):
        findings = findings.with_one("filter", CheckPassed(("SEEN",), score, (field,)))
    findings = findings.with_one("list", CheckPassed(("FRESH", "NEW")))
    findings = findings.with_one("quiet", CheckPassed(is_suspect=True))
    assert findings.notes == "filter 3.5: SEEN; list: FRESH, NEW"
    assert findings.header == b"X-Filter: yes\r\n"
    assert findings.verdicts == {
        "filter": "score 3.5; SEEN",
        "list": "FRESH, NEW",
        "quiet": "suspect",
    }
    assert findings.is_suspect


def test_a_check_that_found_nothing_has_no_verdict() -> None:
    assert NOTHING_FOUND.with_one("quiet", CheckPassed()).verdicts == {}
    long = NOTHING_FOUND.with_one("loud", CheckPassed(("x" * 5000,))).verdicts
    assert long == {"loud": "x" * VERDICT_LIMIT}


def test_findings_are_bounded() -> None:
    findings = NOTHING_FOUND
    fields = tuple(CheckField("X-A", f"{number:900}") for number in range(10))
    findings = findings.with_one("much", CheckPassed(("x" * 5000,), None, fields))
    assert len(findings.notes) == NOTES_LIMIT
    assert 3000 < len(findings.header) <= FIELDS_LIMIT
    assert findings.header.endswith(b"\r\n")


def test_nothing_found_leaves_nothing() -> None:
    assert (NOTHING_FOUND.notes, NOTHING_FOUND.header, NOTHING_FOUND.is_suspect) == ("", b"", False)
