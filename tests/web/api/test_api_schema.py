"""The schema names each operation, and the answers that each can give."""

from typing import Any

import pytest

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask

# Clients are generated from these names: one that is here never goes.
STABLE = {
    "addAccount",
    "listAccounts",
    "showAccount",
    "changeAccount",
    "removeAccount",
    "addLogin",
    "listLogins",
    "changeLogin",
    "removeLogin",
    "addDomain",
    "listDomains",
    "showDomain",
    "changeDomain",
    "removeDomain",
    "listRecipients",
    "changeRecipients",
    "replaceRecipients",
    "listMessages",
    "nameMessages",
    "showMessage",
    "readContent",
    "deleteMessages",
    "bounceMessages",
    "holdMessagesAgain",
    "exportMessages",
    "importMessages",
    "digestMessages",
    "listReports",
    "showReport",
    "dropReports",
    "addChannel",
    "listChannels",
    "changeChannel",
    "removeChannel",
    "tryChannel",
    "listWaitingNotices",
    "releaseTargets",
    "listDrains",
    "listLastDrains",
    "stopDrain",
    "showStatus",
    "traceMail",
    "listAudit",
    "backUpStore",
    "showMetrics",
    "showLogin",
    "showChannel",
    "addToken",
    "listTokens",
    "revokeToken",
    "releaseDomains",
    "listReleases",
    "showRelease",
    "applyConfiguration",
    "followEvents",
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made: dict[str, Any] = ask(AdminWorld(), "GET", "/v1/openapi.json").json()
    return made


def operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for methods in schema["paths"].values() for one in methods.values()]


def test_names_of_operations_are_unique_and_none_is_lost(schema: dict[str, Any]) -> None:
    names = [one["operationId"] for one in operations(schema)]
    assert len(set(names)) == len(names)
    assert STABLE - set(names) == set()


def test_each_operation_declares_every_error_as_a_problem(schema: dict[str, Any]) -> None:
    for one in operations(schema):
        for status in ("400", "401", "403", "404", "409", "412", "413", "422", "429", "503"):
            assert one["responses"][status] == {"$ref": f"#/components/responses/Problem{status}"}
            content = schema["components"]["responses"][f"Problem{status}"]["content"]
            assert list(content) == ["application/problem+json"], one["operationId"]
    assert {"kind", "remedy", "detail"} <= schema["components"]["schemas"]["ProblemDetails"][
        "properties"
    ].keys()


def test_a_token_or_the_control_socket_gives_access(schema: dict[str, Any]) -> None:
    bearer = {"type": "http", "scheme": "bearer"}
    assert schema["components"]["securitySchemes"] == {"bearer": bearer}
    assert schema["security"] == [{}, {"bearer": []}]
