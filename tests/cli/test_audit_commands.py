from typing import Any

from restante.cli.audit_commands import two_lines
from restante.cli.text_width import width_of
from tests.admin.desk import Desk
from tests.cli.conftest import Command

ENTRY: dict[str, Any] = {
    "at": "2025-10-09T08:53:20.000000Z",
    "action": "domain-changed",
    "actor": "operator root",
    "origin": "control socket",
    "subject": "alpha.example",
    "account": "acme",
    "domain": "alpha.example",
    "reason": "",
    "answer": "",
    "changes": [],
}


def test_an_entry_with_wide_characters_fits_two_lines() -> None:
    lines = list(two_lines({**ENTRY, "reason": "件名" * 60}, 80))
    assert len(lines) == 2
    assert max(map(width_of, lines)) <= 80


def test_an_empty_trail_is_said(desk: Desk, command: Command) -> None:
    assert desk.server
    assert command("audit", "--actor", "nobody").out == "0 entries\n"
