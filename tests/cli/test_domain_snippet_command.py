"""`restante domain snippet`: lines to copy, with their danger."""

import json

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command


def test_lines_are_printed_whole_with_their_danger(admin: AdminWorld, command: Command) -> None:
    admin.resolver.known["mx2.example.net"] = ["203.0.113.2"]
    admin.resolver.known["mail.alpha.example"] = []
    shown = command("domain", "snippet", "alpha.example", "--for", "rspamd").out
    assert 'rules { BACKUP_MX { strategy = "local"; } }' in shown.splitlines()
    assert "local_addrs = [127.0.0.0/8, ::1, 203.0.113.2];" in shown.splitlines()
    assert "Danger: Use both files or neither." in shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "Check with: restante domain check alpha.example" in shown


def test_json_has_the_parts(admin: AdminWorld, command: Command) -> None:
    shown = command("domain", "snippet", "alpha.example", "--for", "postfix", "--json").out
    snippet = json.loads(shown)
    assert (snippet["program"], snippet["is_tried"]) == ("postfix", True)
    assert snippet["parts"][0]["place"] == "main.cf"


def test_another_program_is_an_error_with_the_choices(admin: AdminWorld, command: Command) -> None:
    shown = command("domain", "snippet", "alpha.example", "--for", "qmail")
    assert shown.code == 64
    assert "qmail" in shown.err
