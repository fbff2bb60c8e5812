"""An account's change of authorized hosts waits, is told, and survives a kill of the server."""

from __future__ import annotations

from typing import Any, Final

import httpx

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.webhook_receiver import WebhookReceiver

DOMAIN: Final = "alpha.example"
NEW: Final = "192.0.2.77"
MORE: Final = "[portal]\nchange_delay = 3\n[notices]\nfirst_retry = 0.2\nlongest_retry = 1.0\n"


def asked(restante: Installation, method: str, path: str, token: str, **body: Any) -> Any:
    """Send a request of the account, and return the answer."""
    url = f"http://{HOST}:{restante.web_port}/v1{path}"
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, url, headers=headers, json=body or None, timeout=90)


def prepared(restante: Installation, receiver: WebhookReceiver) -> str:
    """Host a domain, add a channel for another kind alone, and return a token of the account."""
    restante.start()
    restante.hosts(DOMAIN, f"{HOST}:9")
    words = ("--account", "alpha", "--only", "mail-after-quiet", "--webhook", "-")
    added = restante.run("notice", "add", "hook", *words, typed=receiver.url)
    assert added.returncode == 0, added.stderr
    receiver.key = added.stdout.strip()
    scopes = ("--role", "account-admin", "--scope", "domain:direct")
    return restante.do("token", "add", "alpha", "ci", *scopes).strip()


def kinds_of(receiver: WebhookReceiver) -> list[str]:
    return [one.facts["type"] for one in receiver.taken]


def hosts_of(restante: Installation) -> list[str]:
    allowed: list[str] = restante.shown("domain", "show", DOMAIN)["allow"]
    return allowed


def test_a_change_survives_a_kill_and_is_told_and_applied() -> None:
    with WebhookReceiver() as receiver, Installation(more=MORE) as restante:
        token = prepared(restante, receiver)
        done = asked(restante, "PATCH", f"/domains/{DOMAIN}", token, add_allow=[NEW])
        restante.kill()
        assert (done.status_code, done.json()["scheduled"]["id"]) == (202, 1)
        restante.start()
        eventually(lambda: NEW in hosts_of(restante), what="the change to be applied")
        eventually(lambda: "change-ended" in kinds_of(receiver), what="the end to be told")
        assert kinds_of(receiver)[0] == "change-scheduled"
        actions = [one["action"] for one in restante.shown("audit", "--domain", DOMAIN)]
        assert actions[:2] == ["change-applied", "change-scheduled"]


def test_a_cancelled_change_is_never_applied() -> None:
    with WebhookReceiver() as receiver, Installation(more=MORE) as restante:
        token = prepared(restante, receiver)
        asked(restante, "PATCH", f"/domains/{DOMAIN}", token, add_allow=[NEW])
        assert asked(restante, "DELETE", "/changes/1", token).status_code == 200
        restante.wait_for_event("change-ended", end="cancelled")
        assert asked(restante, "GET", "/changes", token).json() == []
        assert NEW not in hosts_of(restante)
