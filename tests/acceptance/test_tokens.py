"""Tokens from outside, by curl: one account's things, at once revoked, and gone from no log."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.acceptance.installation import HOST, Installation

AWAY: Final = "127.0.0.1:9"
WAIT: Final = "10"  # seconds


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation with two accounts, each with a domain."""
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY)
        restante.do("account", "add", "beta")
        beta = ("--account", "beta", "--destination", "192.0.2.1", "--allow", "192.0.2.1")
        restante.do("domain", "add", "beta.example", *beta)
        restante.start()
        yield restante


def token(restante: Installation, name: str, *options: str) -> str:
    """Return a new token of alpha."""
    return restante.do("token", "add", "alpha", name, *options).split()[-1]


def curl(restante: Installation, path: str, held: str, *options: str) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    url = f"http://{HOST}:{restante.web_port}{path}"
    given = ("-H", f"Authorization: Bearer {held}", "-w", "\n%{http_code}", *options)
    done = subprocess.run(
        ["curl", "-sS", "--max-time", WAIT, *given, url], capture_output=True, text=True, check=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None


def test_a_token_sees_the_things_of_its_account_alone(restante: Installation) -> None:
    admin = token(restante, "admin", "--role", "account-admin")
    status, shown = curl(restante, "/v1/domains", admin)
    assert (status, [one["name"] for one in shown]) == (200, ["alpha.example"])
    foreign, unknown = (
        curl(restante, f"/v1/domains/{name}.example", admin) for name in ("beta", "gone")
    )
    assert json.dumps(foreign).replace("beta", "gone") == json.dumps(unknown)
    assert foreign[0] == 404
    assert curl(restante, "/v1/accounts/beta", admin)[0] == 404
    assert curl(restante, "/v1/status", admin)[0] == 403
    limit = ("-X", "PATCH", "--json", '{"quota": 1}')
    assert curl(restante, "/v1/domains/alpha.example", admin, *limit)[0] == 403
    assert curl(restante, "/v1/domains/beta.example", admin, *limit)[0] in (403, 404)


def test_a_token_is_accepted_until_it_is_revoked(restante: Installation) -> None:
    held = token(restante, "short", "--scope", "domain:read")
    assert curl(restante, "/v1/domains", held)[0] == 200
    restante.do("token", "revoke", held.split("_")[1], "--reason", "leaked")
    status, problem = curl(restante, "/v1/domains", held)
    assert (status, problem["detail"]) == (401, "request: no valid token came with the request")
    refused = restante.wait_for_event("token-refused", token_name="short")
    assert refused["cause"] == "revoked"


def test_a_token_for_another_network_is_refused_like_an_unknown_one(
    restante: Installation,
) -> None:
    held = token(restante, "far", "--scope", "domain:read", "--network", "203.0.113.0/24")
    unknown = curl(restante, "/v1/domains", f"rst_unknown000_{'x' * 43}")
    assert curl(restante, "/v1/domains", held) == unknown
    assert restante.wait_for_event("token-refused", token_name="far")["cause"] == "wrong-network"


def test_a_release_by_token_is_one_of_its_own_domains(restante: Installation) -> None:
    held = token(restante, "etrn", "--scope", "release")
    answers = {}
    for name in ("alpha", "beta", "gone"):
        order = ("--json", json.dumps({"targets": [f"{name}.example"]}))
        status, answer = curl(restante, "/v1/releases", held, *order)
        [result] = answer if status == 200 else answer["results"]
        answers[name] = (status, result["result"], result["reason"])
    assert answers["beta"] == answers["gone"]
    assert answers["beta"][:2] == (404, "refused")
    assert answers["alpha"][:2] == (200, "nothing-held")


def test_no_secret_is_in_the_log_or_the_trail(restante: Installation) -> None:
    held = token(restante, "quiet", "--scope", "domain:read")
    curl(restante, f"/v1/domains?access_token={held}", held)
    assert restante.wait_for_event("token-refused", token_name="quiet")["cause"] == "in-url"
    secret = held.split("_", 2)[2]
    assert secret not in restante.log_path.read_text()
    assert secret not in restante.do("audit", "--json")
