"""The counts of requests."""

from restante.web.request_counts import RefusedRequests, RequestCounts, RequestRefusal


def test_answers_count_by_route_and_class_of_status() -> None:
    counts = RequestCounts()
    counts.answered("/v1/status", 200, 0.5)
    counts.answered("/v1/status", 201, 0.25)
    counts.answered("/v1/status", 503, 0.25)
    assert counts.ended == {("/v1/status", "2xx"): 2, ("/v1/status", "5xx"): 1}
    assert counts.seconds == {("/v1/status",): 1.0}


def test_refused_requests_are_told_once_with_their_last_client() -> None:
    counts = RequestCounts()
    for address in ("192.0.2.1", "192.0.2.2"):
        counts.refused(RequestRefusal.NO_CREDENTIALS, address)
    counts.refused(RequestRefusal.MALFORMED, "192.0.2.3")
    assert counts.take_refused() == {
        RequestRefusal.NO_CREDENTIALS: RefusedRequests(2, "192.0.2.2"),
        RequestRefusal.MALFORMED: RefusedRequests(1, "192.0.2.3"),
    }
    assert counts.take_refused() == {}
