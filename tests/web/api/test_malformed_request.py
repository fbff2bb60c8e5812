"""A request without the right learns that alone, whatever else is wrong with it."""

from typing import Any

import pytest

from restante.tenancy.principal import NOBODY
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def as_nobody(admin: AdminWorld) -> AdminWorld:
    admin.context = admin.context.acting(NOBODY)
    return admin


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("DELETE", "/v1/domains/a.example", {}),
        ("DELETE", "/v1/tokens/abc", {}),
        ("POST", "/v1/domains", {"json": {}}),
        ("POST", "/v1/domains", {"content": b"{"}),
        ("POST", "/v1/accounts", {"json": {"name": 7}, "headers": {"Idempotency-Key": "\x7f"}}),
        ("GET", "/v1/audit", {"params": {"limit": "many"}}),
        ("GET", "/v1/reports/first", {}),
    ],
)
def test_a_missing_right_comes_before_every_other_fault(
    method: str, path: str, given: dict[str, Any]
) -> None:
    refused = ask(as_nobody(AdminWorld()), method, path, **given)
    assert (refused.status_code, refused.json()["kind"]) == (403, "not-allowed")


@pytest.mark.parametrize(
    ("method", "path", "detail"),
    [
        ("DELETE", "/v1/domains/a.example", "reason: is missing"),
        ("GET", "/v1/reports/first", "number: must be a whole number"),
    ],
)
def test_with_the_right_the_field_is_named(method: str, path: str, detail: str) -> None:
    problem = ask(AdminWorld(), method, path).json()
    assert problem["detail"] == detail
    assert problem["remedy"].endswith("see /v1/openapi.json")
