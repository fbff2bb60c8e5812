"""The known state of primaries, in every screen that shows it, and its wording."""

import json

from restante.queue.presence import DestinationState, WatchedDestination
from tests.admin.admin_world import NOW, AdminWorld
from tests.cli.conftest import Command

AWAY = WatchedDestination(
    DestinationState.AWAY, NOW - 12_000, NOW + 45, "connection refused", NOW - 15
)
DESTINATION = "mail.alpha.example:25"


def test_every_screen_says_since_when_a_primary_is_away_and_why(
    admin: AdminWorld, command: Command
) -> None:
    assert admin.server
    admin.server.sightings[DESTINATION] = AWAY
    assert "away since 05:33Z (connection refused)" in command("status").out
    assert "away since 05:33Z (connection refused)" in command("top", "--once").out
    [domain] = json.loads(command("status", "--json").out)["domains"]
    assert domain["primary"] == {
        "seen": "away",
        "since": "2025-10-09T05:33:20Z",
        "probed_at": "2025-10-09T08:53:05Z",
        "next_probe_at": "2025-10-09T08:54:05Z",
        "reason": "connection refused",
    }
    shown = command("domain", "show", "alpha.example").out
    assert "away since 2025-10-09 05:33:20Z" in shown
    assert "2025-10-09 08:53:05Z: connection refused" in shown
    assert "2025-10-09 08:54:05Z" in shown
    assert "connection refused" in shown


def test_of_one_that_is_not_probed_nothing_is_known(admin: AdminWorld, command: Command) -> None:
    assert "PRIMARY" not in command("status").out
    assert "not probed" in command("domain", "show", "alpha.example").out
    [domain] = json.loads(command("status", "--json").out)["domains"]
    assert (domain["primary"]["seen"], domain["primary"]["next_probe_at"]) == ("unknown", None)
