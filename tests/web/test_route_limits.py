"""Which requests may be large and slow."""

import pytest

from restante.web.route_limits import (
    BODY_OCTETS,
    LIST_OCTETS,
    RECORD_OCTETS,
    body_limit,
    is_long,
)


def test_imports_and_exports_are_long_and_others_are_not() -> None:
    assert is_long("POST", "/v1/queue/import")
    assert is_long("POST", "/v1/queue/export")
    assert not is_long("GET", "/v1/queue/import")
    assert not is_long("POST", "/v1/queue/import/")
    assert not is_long("POST", "/v1/release")


@pytest.mark.parametrize(
    ("path", "octets"),
    [
        ("/v1/release", BODY_OCTETS),
        ("/v1/notices/channels", BODY_OCTETS),
        ("/v1/domains/a.example/uptime", BODY_OCTETS),
        ("/v1/domains", RECORD_OCTETS),
        ("/v1/domains/a.example", RECORD_OCTETS),
        ("/v1/tokens", RECORD_OCTETS),
        ("/v1/domains/a.example/recipients", LIST_OCTETS),
        ("/v1/apply", LIST_OCTETS),
    ],
)
def test_a_body_is_limited_by_its_route(path: str, octets: int) -> None:
    assert body_limit(path) == octets
