"""Answers of the API about the check of a domain: read field by field, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from restante_client.domain_answers import read_check, read_snippet

ROW = {
    "check": "mx",
    "title": "MX records",
    "verdict": "pass",
    "evidence": "two",
    "remedy": "",
    "snippet": "",
}
CHECK = {"at": "2026-11-30T10:00:00Z", "rows": [ROW], "more": 1}
SNIPPET = {
    "title": "rspamd",
    "parts": [{"place": "local.d/x.conf", "text": "a = 1;"}],
    "danger": "Beware.",
    "is_tried": True,
}


def test_a_check_is_read_without_unknown_fields() -> None:
    assert read_check(CHECK) == {"at": CHECK["at"], "rows": [ROW]}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {**CHECK, "rows": []},
        {**CHECK, "rows": [{**ROW, "verdict": 1}]},
        {**CHECK, "rows": ["row"]},
        {**CHECK, "rows": [ROW] * 1000},
        {**CHECK, "at": None},
    ],
)
def test_another_value_is_no_check(value: Any) -> None:
    assert read_check(value) is None


def test_the_lines_for_one_program_are_read() -> None:
    assert read_snippet([SNIPPET]) == SNIPPET
    assert read_snippet([{**SNIPPET, "is_tried": "yes"}]) == {**SNIPPET, "is_tried": False}


@pytest.mark.parametrize(
    "value",
    [
        SNIPPET,
        [],
        [SNIPPET, SNIPPET],
        [{**SNIPPET, "parts": []}],
        [{**SNIPPET, "parts": [{"place": "x", "text": 1}]}],
        [{**SNIPPET, "danger": None}],
        [{**SNIPPET, "title": 5}],
    ],
)
def test_another_value_is_no_snippet(value: Any) -> None:
    assert read_snippet(value) is None
