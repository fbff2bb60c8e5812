"""`restante report`, with a server and without."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command


def listed(command: Command, *words: str) -> list[dict[str, Any]]:
    reports: list[dict[str, Any]] = json.loads(command("report", "list", *words, "--json").out)
    return reports


@pytest.fixture
def waiting(installation: Path, command: Command, tmp_path: Path) -> None:
    """Three reports in a store without a server."""
    for number in range(3):
        path = f"<sender@{'first' if number == 0 else 'second'}.test>"
        (tmp_path / f"{number}.eml").write_bytes(b"Subject: not to be shown\r\n\r\n%d\r\n" % number)
        words = ("--reverse-path", path, "--to", "x@alpha.example")
        assert command("queue", "import", tmp_path / f"{number}.eml", *words).code == 0
    assert command("queue", "bounce", "--all", "--reason", "over", "--yes").code == 0


@pytest.mark.usefixtures("waiting")
def test_without_a_server_reports_are_listed_shown_and_dropped(command: Command) -> None:
    assert [report["to"] for report in listed(command)] == [
        "sender@first.test",
        *["sender@second.test"] * 2,
    ]
    assert len(listed(command, "--to", "*@second.test", "--domain", "alpha.example")) == 2
    assert "<sender@first.test>" in command("report", "list").out
    shown = command("report", "show", "1").out
    assert "Final-Recipient: rfc822; x@alpha.example" in shown
    assert "not to be shown" not in shown
    refused = command("report", "drop", "--to", "*@second.test", "--reason", "forged")
    assert (refused.code, "2 reports" in refused.err) == (64, True)
    dropped = command("report", "drop", "--to", "*@second.test", "--reason", "forged", "--yes")
    assert (dropped.code, dropped.out) == (0, "2 reports dropped\n")
    assert [report["number"] for report in listed(command)] == [1]
    assert '"reports-dropped"' in command("audit", "--json").out


@pytest.mark.usefixtures("waiting")
def test_a_missing_report_is_named(command: Command) -> None:
    missing = command("report", "drop", "1", "9", "--reason", "forged", "--yes")
    assert (missing.code, missing.out) == (66, "1 report dropped\n")
    assert "report 9: does not wait" in missing.err
    assert command("report", "show", "9").code == 66
    assert command("report", "drop", "--reason", "x").code == 64
    assert command("report", "drop", "2", "--all", "--reason", "x").code == 64
    assert "raise --limit" in command("report", "list", "--limit", "1").err


def test_with_a_server_it_is_the_same(admin: AdminWorld, command: Command) -> None:
    assert command("queue", "bounce", "12", "--reason", "x", "--yes").code == 0
    shown = command("report", "list").out + command("report", "show", "1").out
    assert "\\x1b[31m@evil" in shown
    assert "\x1b[31m" not in shown
    assert command("report", "drop", "--all", "--reason", "x", "--yes").out == "1 report dropped\n"
    assert listed(command) == []
    assert command("report", "drop", "--all", "--reason", "x").out == "0 reports dropped\n"
