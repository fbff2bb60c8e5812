"""Null in a change: a limit is removed, and other fields refuse it. Nothing is ignored."""

from typing import Any

import pytest
from pydantic import BaseModel

from restante.admin.channel_change import ChannelChange
from restante.admin.domain_change import DomainChange
from restante.admin.logins import LoginChange
from restante.admin.portal_users import PortalUserChange
from restante.web.api.null_fields import CLEARED_BY
from tests.admin.admin_world import AdminWorld, run
from tests.web.api.asking import ask

DOMAIN = "/v1/domains/alpha.example"
ACCOUNT = "/v1/accounts/alpha"


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    run(admin.host("alpha.example", "alpha"))
    return admin


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (DOMAIN, "quota", 1000),
        (DOMAIN, "quota_messages", 10),
        (DOMAIN, "message_size", 1000),
        (DOMAIN, "retention", 86400.0),
        (DOMAIN, "refused_retention", 86400.0),
        (DOMAIN, "per_minute", 5),
        (ACCOUNT, "quota", 1000),
        (ACCOUNT, "quota_messages", 10),
    ],
)
def test_null_removes_a_limit_that_is_shown_as_null(
    admin: AdminWorld, path: str, field: str, value: float
) -> None:
    def shown() -> Any:
        view = ask(admin, "GET", path).json()
        return view.get("policy", {}).get(field, view.get(field))

    assert ask(admin, "PATCH", path, json={field: value}).status_code == 200
    assert shown() == value
    answer = ask(admin, "PATCH", path, json={field: None})
    assert answer.status_code == 200
    assert answer.json()["changes"]
    assert shown() is None


@pytest.mark.parametrize("model", CLEARED_BY, ids=lambda model: model.__name__)
def test_every_other_field_refuses_null(admin: AdminWorld, model: type[BaseModel]) -> None:
    path = {
        DomainChange: DOMAIN,
        LoginChange: f"{ACCOUNT}/logins/mail",
        ChannelChange: "/v1/notices/channels/hook?reason=x",
        PortalUserChange: "/v1/users/a@x.example",
    }.get(model, ACCOUNT)
    for field in set(model.model_fields) - set(CLEARED_BY[model]):
        answer = ask(admin, "PATCH", path, json={field: None})
        assert answer.status_code == 422, field
        assert answer.json()["detail"] == (
            f"body: {field} cannot be null; leave it out to keep it as it is"
        )


def test_the_schema_says_so(admin: AdminWorld) -> None:
    schemas = ask(admin, "GET", "/v1/openapi.json").json()["components"]["schemas"]
    for model, cleared_by in CLEARED_BY.items():
        for name, field in schemas[model.__name__]["properties"].items():
            takes_null = {"type": "null"} in field.get("anyOf", [])
            assert takes_null is (name in cleared_by), (model, name)
            assert (field.get("description") == "null removes it") is takes_null
