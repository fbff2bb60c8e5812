"""Turnarounds that are cut lose nothing. `turn_campaign` does the same with more."""

from __future__ import annotations

from tests.acceptance.crash.turn_campaign import run_turn_campaign


def test_no_message_is_lost_when_either_side_is_killed() -> None:
    findings = run_turn_campaign(messages=300, cuts=2, seed=3)
    assert findings.cuts == 2, "no turnaround was under way"
    assert findings.is_fine, findings
