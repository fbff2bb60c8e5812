from restante.server.late_web import http_ground
from restante.web.http_connections import HttpService
from restante.web.request_counts import RequestCounts


def test_one_address_block_may_have_a_quarter_of_the_connections() -> None:
    http = http_ground(RequestCounts(), lambda: 0.0)
    assert http.web.service is HttpService.WEB
    assert http.web.block_limit == max(1, http.web.limit // 4)
    assert http.acme.service is HttpService.ACME
    assert http.acme.limit == max(1, http.web.limit // 4)
    assert http.acme.block_limit == max(1, http.acme.limit // 4)
