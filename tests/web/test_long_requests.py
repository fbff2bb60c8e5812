"""Which requests may be large and slow."""

from restante.web.long_requests import is_long


def test_imports_and_exports_are_long_and_others_are_not() -> None:
    assert is_long("POST", "/v1/queue/import")
    assert is_long("POST", "/v1/queue/export")
    assert not is_long("GET", "/v1/queue/import")
    assert not is_long("POST", "/v1/queue/import/")
    assert not is_long("POST", "/v1/release")
