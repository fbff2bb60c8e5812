"""A configuration over the API: entries to a line, in both directions."""

import json
from typing import Any

from restante.web.api.json_lines import MEDIA_TYPE
from tests.admin.admin_world import AdminWorld
from tests.admin.configurations import ACME, Entries
from tests.web.api.asking import ask


def post(admin: AdminWorld, entries: Entries, **params: str) -> Any:
    body = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
    return ask(admin, "POST", "/v1/apply", content=body, params=params)


def answer(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    assert response.headers["content-type"] == MEDIA_TYPE
    return [json.loads(line) for line in response.text.split("\n") if line]


def test_a_configuration_is_applied_and_exported() -> None:
    admin = AdminWorld()
    foreseen = answer(post(admin, ACME, dry_run="true"))
    assert admin.context.directory.now.accounts == {}
    done = answer(post(admin, ACME))
    assert [line["step"]["name"] for line in foreseen if "step" in line] == [
        line["step"]["name"] for line in done if "step" in line
    ]
    assert done[-1]["summary"] == {
        "is_dry_run": False,
        "changed": True,
        "added": 4,
        "changed_records": 1,
        "removed": 0,
        "unchanged": 0,
        "failed": 0,
    }
    exported = ask(admin, "GET", "/v1/configuration")
    entries = answer(exported)
    assert [entry["thing"] for entry in entries] == [
        "account",
        "login",
        "domain",
        "addresses",
        "channel",
    ]
    again = answer(post(admin, entries, prune="accounts", reason="as exported"))
    assert not again[-1]["summary"]["changed"]
    sealed = answer(ask(admin, "GET", "/v1/configuration", params={"with_secrets": "true"}))
    assert "sealed" in sealed[1]


def test_pruning_needs_a_reason_and_changes_nothing_without_one() -> None:
    admin = AdminWorld()
    answer(post(admin, ACME))
    for prune in ("records", "accounts"):
        refused = post(admin, ACME[:1], prune=prune)
        assert (refused.status_code, refused.json()["kind"]) == (400, "usage")
        answer(post(admin, ACME[:1], prune=prune, dry_run="true"))
    assert "acme.example" in admin.context.directory.now.domains


def test_faults_are_answered_before_anything_is_changed() -> None:
    admin = AdminWorld()
    refused = post(admin, [*ACME, {**ACME[2], "name": "x.example", "account": "none"}, {}])
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["kind"] == "invalid"
    assert len(problem["problems"]) == 2
    assert problem["problems"][0].startswith(f"{problem['detail']}; ")
    assert admin.context.directory.now.accounts == {}
    assert "problems" not in ask(admin, "GET", "/v1/accounts/none").json()


def test_an_unknown_account_or_way_of_pruning_is_refused() -> None:
    admin = AdminWorld()
    assert ask(admin, "GET", "/v1/configuration", params={"account": "x"}).status_code == 404
    assert post(admin, [], prune="all").status_code == 422
    assert answer(post(admin, []))[-1]["summary"]["changed"] is False


def test_the_reason_is_kept_in_the_trail() -> None:
    admin = AdminWorld()
    answer(post(admin, ACME))
    answer(post(admin, ACME[:1], prune="records", reason="left us"))
    entries = ask(admin, "GET", "/v1/audit", params={"limit": 3}).json()
    assert {entry["reason"] for entry in entries} == {"left us"}
