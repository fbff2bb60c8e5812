"""A drain on record that no server runs, as an operator sees it."""

from restante.delivery.drain_state import unclaimed_view
from restante.queue.drain_word import DrainState
from restante.store.handover_store import Drain
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain


def test_an_unclaimed_drain_has_its_request_and_no_counts() -> None:
    domain = HostedDomain(7, "b.example", "alpha", Destination("::1"), AuthorizedHosts(), 0.0)
    view = unclaimed_view(Drain(7, 3, requested_at=100.0, deadline=1900.0), domain)
    assert view.state is DrainState.UNCLAIMED
    assert (view.domain, view.destination) == ("b.example", "[::1]:25")
    assert view.started_at == 100.0
    assert (view.delivered, view.refused, view.deferred, view.uncertain) == (0, 0, 0, 0)
    assert (view.next_attempt_at, view.connections, view.last_error) == (None, 0, "")
