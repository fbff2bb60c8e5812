"""The state of a primary as it is shown: the result of probes, or nothing."""

import pytest

from restante.admin.primary_state import PrimaryView, primary_view
from restante.queue.presence import DestinationState, WatchedDestination
from restante.tenancy.model import Destination
from tests.admin.admin_world import NOW, AdminWorld, FakeServer

HERE = Destination("192.0.2.1")


@pytest.mark.parametrize("server", [None, FakeServer()])
def test_of_a_primary_that_nobody_watches_nothing_is_known(server: FakeServer | None) -> None:
    view = primary_view(AdminWorld(server=server).context, HERE)
    assert view == PrimaryView(
        seen=DestinationState.UNKNOWN, since=None, next_probe_at=None, reason=""
    )


@pytest.mark.parametrize("since", [None, NOW - 60])
def test_a_watched_primary_is_shown_as_it_was_last_seen(since: float | None) -> None:
    sighting = WatchedDestination(DestinationState.AWAY, since, NOW + 30, "connection refused")
    server = FakeServer(sightings={HERE.text: sighting})
    view = primary_view(AdminWorld(server=server).context, HERE)
    assert (view.seen, view.reason) == (DestinationState.AWAY, "connection refused")
    assert (view.since and view.since.timestamp()) == since
    assert view.next_probe_at
    assert view.next_probe_at.timestamp() == NOW + 30
