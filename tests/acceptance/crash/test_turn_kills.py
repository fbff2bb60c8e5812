"""Turnarounds that are cut lose nothing. `turn_campaign` does the same with more."""

from __future__ import annotations

from tests.acceptance.crash.turn_campaign import KINDS, run_turn_campaign


def test_no_message_is_lost_when_a_turnaround_is_cut() -> None:
    findings = run_turn_campaign(messages=120, cuts=3, seed=3)
    assert findings.cuts == dict.fromkeys(KINDS, 1)
    assert findings.ahead, "no window of messages was cut"
    assert findings.is_fine, findings
