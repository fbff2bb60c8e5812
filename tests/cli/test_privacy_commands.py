"""One person's data on the command line."""

import json

from tests.admin.admin_world import AdminWorld, run
from tests.cli.conftest import Command

ANNA = "anna@alpha.example"
ASKED = ("--reason", "asked by anna@alpha.example")


def hold(admin: AdminWorld) -> None:
    domain = admin.context.directory.now.domains["alpha.example"]
    run(admin.hold(99, domain.id, ANNA))


def test_an_export_is_one_json_document(admin: AdminWorld, command: Command) -> None:
    hold(admin)
    found = json.loads(command("privacy", "export", ANNA, *ASKED).out)
    assert found["address"] == ANNA
    assert [ANNA] in [one["recipients"] for one in found["held-mail"]]
    assert found["elsewhere"]


def test_an_erasure_says_what_was_erased_and_what_is_left(
    admin: AdminWorld, command: Command
) -> None:
    hold(admin)
    foreseen = command("privacy", "erase", ANNA, "--dry-run").out
    assert "history: 0 would be erased" in foreseen
    assert "left in held mail: " in foreseen
    shown = command("privacy", "erase", ANNA, *ASKED).out
    assert shown.endswith("the address is now erased-1\n")
    again = json.loads(command("privacy", "erase", ANNA, *ASKED, "--json").out)
    assert (again["mark"], again["is_dry_run"]) == ("erased-2", False)


def test_it_needs_a_reason(admin: AdminWorld, command: Command) -> None:
    assert command("privacy", "erase", ANNA).code == 64
