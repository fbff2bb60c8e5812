"""Drains from the command line."""

import json

from tests.admin.desk import Desk
from tests.cli.conftest import Command


def test_drains_are_listed_and_stopped(desk: Desk, command: Command) -> None:
    shown = command("drain", "list").out
    assert "alpha.example  delivering" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert json.loads(command("drain", "list", "--json").out)[0]["state"] == "delivering"
    stopped = command("drain", "stop", "ALPHA.example", "--reason", "they asked")
    assert (
        stopped.out
        == "alpha.example: the drain stops after 5 messages handed over; the rest stays held\n"
    )
    assert desk.server
    assert desk.server.stopped[0][1] == "stopped by the operator: they asked"
    assert (
        json.loads(command("drain", "stop", "alpha.example", "--json").out)["domain"]
        == "alpha.example"
    )
    actions = json.loads(command("audit", "--json").out)
    assert [(one["action"], one["reason"]) for one in actions[:2]] == [
        ("drain-stopped", ""),
        ("drain-stopped", "they asked"),
    ]
    assert command("drain", "stop", "unknown.example").code == 66


def test_a_drain_has_a_count_of_uncertain_mail_where_there_is_some(
    desk: Desk, command: Command
) -> None:
    assert desk.server
    assert "UNCERTAIN" not in command("drain", "list").out
    desk.server.uncertain = 4
    assert "UNCERTAIN" in command("drain", "list").out
    assert "UNCERTAIN" in command("status").out
    [drain] = json.loads(command("drain", "list", "--json").out)
    assert (drain["refused"], drain["uncertain"]) == (0, 4)
