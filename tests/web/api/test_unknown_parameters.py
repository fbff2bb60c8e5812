"""A query parameter that a route does not have is refused, on each route."""

import pytest

from tests.admin.admin_world import AdminWorld, run
from tests.web.api.asking import ask


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v1/account-uses?from=2026-01", "from"),
        ("GET", "/v1/events?x=1", "x"),
        ("GET", "/v1/tokens?account=&accnt=alpha", "accnt"),
        ("GET", "/v1/trace?message_id=a&x=1", "x"),
        ("GET", "/v1/domains/alpha.example?x=1", "x"),
        ("DELETE", "/v1/accounts/alpha?reason=why&force=1", "force"),
        ("POST", "/v1/accounts?dry_run=1", "dry_run"),
    ],
)
def test_an_unknown_parameter_is_named(method: str, path: str, name: str) -> None:
    admin = AdminWorld()
    run(admin.host("alpha.example", "alpha"))
    if method == "POST":
        answer = ask(admin, method, path, json={"name": "beta"})
    else:
        answer = ask(admin, method, path)
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"{name}: this request has no such field"
    assert set(admin.context.directory.now.accounts) == {"alpha"}


def test_known_parameters_pass() -> None:
    admin = AdminWorld()
    for path in ("/v1/account-uses?format=csv", "/v1/tokens?account=&limit=3&after="):
        assert ask(admin, "GET", path).status_code == 200
    assert ask(admin, "POST", "/v1/accounts?reason=why", json={"name": "a"}).status_code == 201
