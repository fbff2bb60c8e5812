"""Each route has its right, which comes before anything about a request."""

import re
from typing import Any

from restante.tenancy.principal import NOBODY
from restante.web.api.route_rights import RIGHTS
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def operations() -> list[tuple[str, str]]:
    """Return the methods and paths of the API."""
    paths: dict[str, dict[str, Any]] = ask(AdminWorld(), "GET", "/v1/openapi.json").json()["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


def test_every_route_of_the_schema_asks_for_a_right_first() -> None:
    found = operations()
    assert len(found) >= len(RIGHTS) > 50
    without = []
    for method, path in found:
        admin = AdminWorld()
        admin.context = admin.context.acting(NOBODY)
        answer = ask(admin, method.upper(), re.sub(r"\{.*?\}", "1", path), content=b"{")
        if answer.status_code != 403:
            without.append((method, path, answer.status_code))
    assert without == []
