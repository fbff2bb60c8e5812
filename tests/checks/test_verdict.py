"""Verdicts: a refusal is one reply, and a field is one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.checks.verdict import CheckField, refuse


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
    assert refused.reply.octets == b"550 5.7.1 Malware found\r\n"


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
