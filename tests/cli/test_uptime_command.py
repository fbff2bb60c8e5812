"""The uptime of a domain's destination, on the command line."""

import json

from restante.queue.presence import DestinationState, PresenceChange, WatchedDestination
from restante.tenancy.policy import DAY
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.cli.conftest import Command

HOST = "mail.alpha.example:25"


def keep(admin: AdminWorld, *changes: tuple[float, DestinationState, str]) -> None:
    run(
        admin.store.presence.record_presence(
            [
                PresenceChange("alpha", HOST, NOW - days * DAY, seen, reason)
                for days, seen, reason in changes
            ]
        )
    )


def test_it_shows_the_ratio_the_outages_and_the_changes(
    admin: AdminWorld, command: Command
) -> None:
    assert admin.server
    admin.server.sightings[HOST] = WatchedDestination(
        DestinationState.UP, NOW - DAY, NOW + 20, "", NOW - 40
    )
    keep(
        admin,
        (20, DestinationState.UP, ""),
        (10, DestinationState.AWAY, "connection refused"),
        (9, DestinationState.UP, ""),
    )
    shown = command("domain", "uptime", "alpha.example").out
    assert "answers (40s ago)" in shown
    assert "95.00% of 20d 0h" in shown
    assert "1, 1d 0h in all" in shown
    assert "connection refused" in shown


def test_of_one_that_was_never_probed_it_says_so(admin: AdminWorld, command: Command) -> None:
    shown = command("domain", "uptime", "alpha.example").out
    assert "unknown" in shown
    assert "STATE" not in shown


def test_json_has_everything(admin: AdminWorld, command: Command) -> None:
    keep(admin, (1, DestinationState.UP, ""))
    view = json.loads(command("domain", "uptime", "alpha.example", "--json").out)
    assert (view["up_ratio"], view["outages"], len(view["changes"])) == (1.0, 0, 1)
