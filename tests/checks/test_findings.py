"""Findings about one message: joined by check, and bounded."""

from restante.checks.findings import FIELDS_LIMIT, NOTES_LIMIT, NOTHING_FOUND
from restante.checks.verdict import CheckField, CheckPassed
from restante.mail.message_origin import VERDICT_LIMIT


def test_findings_of_many_recipients_count_once() -> None:
    findings = NOTHING_FOUND
    field = CheckField("X-Filter", "yes")
    for score in (1.0, 3.5, 2.0):
        findings = findings.with_one("filter", CheckPassed(("SEEN",), score, (field,)))
    findings = findings.with_one("list", CheckPassed(("FRESH", "NEW")))
    findings = findings.with_one("quiet", CheckPassed(is_suspect=True))
    assert findings.notes == ("filter 3.5: SEEN", "list: FRESH, NEW")
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
    findings = findings.with_one("more", CheckPassed(("y",)))
    assert list(map(len, findings.notes)) == [NOTES_LIMIT]
    assert 3000 < len(findings.header) <= FIELDS_LIMIT
    assert findings.header.endswith(b"\r\n")


def test_nothing_found_leaves_nothing() -> None:
    assert (NOTHING_FOUND.notes, NOTHING_FOUND.header, NOTHING_FOUND.is_suspect) == ((), b"", False)
